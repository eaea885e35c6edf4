"""A learned prior of digits, measured: are its digits digits, and are they new?

    python bench/digits_prior.py [--model-steps 4000] [--steps 3000]

The digits of scikit-learn, enlarged to 28 x 28. Every tenth is held out of all that learns: of the
model, of its prior, and of the classifier that judges, which sees real digits alone.
"""

import argparse
import json
import struct
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import vqcodec
from vqcodec.evaluation.machine import circumstances
from vqcodec.files import write_whole
from vqcodec.training import train, train_generator

Pixels = NDArray[np.uint8]

HELD_OUT = 10
EACH = 200


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-steps", type=int, default=4000)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/digits.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    pixels, labels = enlarged()
    held = np.arange(len(pixels)) % HELD_OUT == 0
    # What training of the prior holds out is every tenth of what it is given: the same ones.
    folder = Path(tempfile.mkdtemp())
    model, drawn = folder / "digits.safetensors", folder / "drawn.safetensors"
    for name, which in (("known", ~held), ("all", held | ~held)):
        head = struct.pack(">IIII", 0x803, which.sum(), 28, 28)
        (folder / f"{name}.idx").write_bytes(head + pixels[which].tobytes())
    classes = folder / "classes.idx"
    classes.write_bytes(struct.pack(">II", 0x801, len(labels)) + labels.astype(np.uint8).tobytes())
    began = time.perf_counter()
    train(folder / "known.idx", model, recipe="digits", steps=args.model_steps, device="cpu")
    of_model = time.perf_counter() - began
    card = train_generator(
        folder / "all.idx", drawn, model=model, labels=classes, steps=args.steps, device="cpu"
    )
    of_prior = time.perf_counter() - began - of_model
    codec = vqcodec.load(model, device="cpu")
    judge = SVC(C=5, gamma=0.02).fit(rows(pixels[~held]), labels[~held])
    samples = np.concatenate(
        [
            np.stack(codec.sample(generator=drawn, label=label, count=EACH, seed=label))
            for label in range(10)
        ]
    )
    wanted = np.repeat(np.arange(10), EACH)
    data = [codec.encode(digit, quality=100) for digit in pixels[held]]
    decoded = np.stack([codec.decode(stream) for stream in data])
    right = judge.predict(rows(samples)) == wanted
    static = np.stack(codec.sample(count=EACH, seed=0, prior=1))
    mixing = np.stack(codec.sample(count=EACH, seed=0, prior=2))
    record = {
        "recognised": {
            "held-out digits": float(judge.score(rows(pixels[held]), labels[held])),
            "held-out digits, decoded": float(judge.score(rows(decoded), labels[held])),
            "samples of a class": float(right.mean()),
            "each class": [float(part.mean()) for part in np.split(right, 10)],
        },
        "distance to the nearest training digit": {
            name: [float(np.quantile(nearest(part, pixels[~held]), q)) for q in (0.05, 0.5, 0.95)]
            for name, part in {
                "held-out digits": pixels[held],
                "held-out digits, decoded": decoded,
                "samples": samples,
                "samples of the static prior": static,
                "samples of the mixing prior": mixing,
            }.items()
        },
        "bits a code, held-out digits": {
            key.removeprefix("bits_per_code").strip("_") or "transformer": value
            for key, value in card.metadata.items()
            if key.startswith("bits_per_code")
        },
        "seconds": {"model": of_model, "prior": of_prior},
        "steps": {"model": args.model_steps, "prior": args.steps},
        "samples of each class": EACH,
        "circumstances": circumstances(("scikit-learn", "torch")),
    }
    write_whole(args.output, (json.dumps(record, indent=1) + "\n").encode())
    print(json.dumps({k: v for k, v in record.items() if k != "circumstances"}, indent=1))


if __name__ == "__main__":
    main()
