"""A learned prior of digits, measured: are its digits digits, and are they new?

    python -m bench.digits_prior [--model-steps 1500] [--steps 5000] [--networks recurrent]

The digits of scikit-learn, enlarged to 28 x 28. Every tenth is held out of all that learns or
chooses: of the model, of its priors, and of the classifier that judges, which sees real digits
alone. What a prior holds out to judge itself by is a tenth of the others.
"""

import argparse
import json
import struct
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import vqcodec
from vqcodec.codec import Codec
from vqcodec.evaluation.machine import circumstances
from vqcodec.files import write_whole
from vqcodec.generative.generator import Generator
from vqcodec.training import train, train_generator

Pixels = NDArray[np.uint8]

HELD_OUT = 10
EACH = 200
NETWORKS = ("recurrent", "transformer")


def enlarged() -> tuple[Pixels, NDArray[np.int64]]:
    found = load_digits()
    small = torch.from_numpy(found.images.copy()).float()[:, None] / 16
    large = torch.nn.functional.interpolate(small, size=(28, 28), mode="bilinear")
    return (large[:, 0] * 255).round().to(torch.uint8).numpy(), found.target


def rows(pixels: Pixels) -> NDArray[np.float64]:
    return pixels.reshape(len(pixels), -1) / 255


def nearest(pixels: Pixels, known: Pixels) -> NDArray[np.float64]:
    """Root mean squared distance to the nearest of those that are known."""
    a, b = rows(pixels), rows(known)
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    distances: NDArray[np.float64] = np.sqrt(np.maximum(squared.min(1), 0) / a.shape[1])
    return distances


def save(pixels: Pixels, labels: NDArray[np.int64], folder: Path) -> tuple[Path, Path]:
    """Pictures and their classes as IDX files."""
    pictures, classes = folder / "digits.idx", folder / "classes.idx"
    head = struct.pack(">IIII", 0x803, len(pixels), 28, 28)
    pictures.write_bytes(head + pixels.tobytes())
    head = struct.pack(">II", 0x801, len(labels))
    classes.write_bytes(head + labels.astype(np.uint8).tobytes())
    return pictures, classes


class Judge:
    """What real digits that are known say of others."""

    def __init__(self, known: Pixels, labels: NDArray[np.int64]) -> None:
        self._known = known
        self._judge = SVC(C=5, gamma=0.02).fit(rows(known), labels)

    def right(self, pixels: Pixels, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self._judge.predict(rows(pixels)) == labels
        return found

    def distance(self, pixels: Pixels) -> list[float]:
        """To the nearest that is known: of the nearest twentieth, the middle, of the farthest."""
        return [float(np.quantile(nearest(pixels, self._known), q)) for q in (0.05, 0.5, 0.95)]


def of_prior(path: Path, codec: Codec, judge: Judge, held: Pixels, labels: Any) -> dict[str, Any]:
    """What samples of each class are taken for, and the bits of a code of held-out digits."""
    wanted = np.repeat(np.arange(10), EACH)
    drawn = [codec.sample(generator=path, label=n, count=EACH, seed=n) for n in range(10)]
    samples = np.concatenate([np.stack(some) for some in drawn])
    right = judge.right(samples, wanted)
    colder = [
        codec.sample(generator=path, label=n, count=EACH, seed=n, temperature=0.8)
        for n in range(10)
    ]
    generator, codes = Generator(path, codec.card), codes_of(held, codec)
    bits = [generator.bits(codes[labels == n], label=n) for n in range(10)]
    return {
        "samples of a class recognised": float(right.mean()),
        "each class": [float(part.mean()) for part in np.split(right, 10)],
        "at temperature 0.8": float(
            judge.right(np.concatenate([np.stack(some) for some in colder]), wanted).mean()
        ),
        "distance to the nearest known digit": judge.distance(samples),
        "bits a code, held-out digits": float(np.concatenate(bits).mean()),
    }


def codes_of(pixels: Pixels, codec: Codec) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = codec.quantize(torch.from_numpy(pixels)[:, None] / 255).numpy()
    return codes


def of_coder(codec: Codec, judge: Judge, held: Pixels) -> dict[str, Any]:
    """The same of the priors that code files, which know no classes; each digit on its own."""
    return {
        prior.name: {
            "distance to the nearest known digit": judge.distance(
                np.stack(codec.sample(count=EACH, seed=0, prior=number))
            ),
            "bits a code, held-out digits": float(
                np.mean([prior.stage_bits(one).sum() / one.size for one in codes_of(held, codec)])
            ),
        }
        for number, prior in codec.priors.items()
        if number > 0
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-steps", type=int, default=1500)
    parser.add_argument("--model", type=Path, help="an earlier run's, not trained anew")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/digits.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    pixels, labels = enlarged()
    out = np.arange(len(pixels)) % HELD_OUT == 0
    folder = Path(tempfile.mkdtemp())
    pictures, classes = save(pixels[~out], labels[~out], folder)
    model, seconds = args.model or folder / "model.safetensors", {}
    if args.model is None:
        began = time.process_time()
        train(pictures, model, recipe="digits", steps=args.model_steps, device="cpu")
        seconds["model"] = time.process_time() - began
    codec, judge = vqcodec.load(model, device="cpu"), Judge(pixels[~out], labels[~out])
    priors = {}
    for network in args.networks:
        path, began = folder / f"{network}.safetensors", time.process_time()
        options: dict[str, Any] = {"labels": classes, "network": network, "steps": args.steps}
        train_generator(pictures, path, model=model, device="cpu", **options)
        seconds[network] = time.process_time() - began
        priors[network] = of_prior(path, codec, judge, pixels[out], labels[out])
        print(network, seconds[network], json.dumps(priors[network]), flush=True)
    decoded = [codec.decode(codec.encode(digit, quality=100)) for digit in pixels[out]]
    real = {"held-out digits": pixels[out], "held-out digits, decoded": np.stack(decoded)}
    record = {
        "recognised": {name: float(judge.right(d, labels[out]).mean()) for name, d in real.items()},
        "distance to the nearest known digit": {n: judge.distance(d) for n, d in real.items()},
        "priors": priors | of_coder(codec, judge, pixels[out]),
        "processor seconds": seconds,
        "steps": {"model": args.model_steps, "prior": args.steps},
        "samples of each class": EACH,
        "circumstances": circumstances(("scikit-learn", "torch")),
    }
    write_whole(args.output, (json.dumps(record, indent=1) + "\n").encode())
    print(json.dumps({k: v for k, v in record.items() if k != "circumstances"}, indent=1))


if __name__ == "__main__":
    main()
