"""What looking at the decoded picture gains an encoder, and what it costs: fewer and cheaper looks.

    python -m bench.refine FOLDER [--model photo-psnr] [--pictures 8] [-o FILE.json]

Held-out photographs of the training folder, the middle of each, up to 384 x 384, one region. The
codes of the usual effort are searched again for a latent that was moved against the slope of the
decoded error; the best codes on the way by error and bits are kept, as the highest efforts do it.
`true` differentiates the synthesis; `linear` takes the decoded error back through the transpose of
its linear path alone, which needs no gradient. Decibels at equal bits are picture by picture, of
real payloads; seconds are those of the processor, on one thread.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vqcodec import Codec, load
from vqcodec.evaluation import circumstances, value_at
from vqcodec.files import write_whole
from vqcodec.media.crops import split_files
from vqcodec.media.picture.crops import find_pictures, read_rgb
from vqcodec.payload import encode_region
from vqcodec.rate.search import LatentSearch
from vqcodec.rate.slope import error_slope
from vqcodec.transforms.blocks import project
from vqcodec.transforms.layout import to_patches

QUALITIES = (5, 15, 25, 35, 50, 65, 80)
RATES = (0.15, 0.25, 0.5)
SIDE, HELD_OUT = 384, 32


@dataclass(frozen=True)
class Way:
    """How often the latent is moved, how far as a part of a full step, and by which slope.

    worth: the part of its price that a bit counts for when codes are compared.
    """

    name: str
    steps: int = 0
    size: float = 0.15
    linear: bool = False
    worth: float = 0.22


WAYS = (
    Way("usual"),
    Way("1 true", 1, 0.3),
    Way("3 true, bits dear", 3, 0.15, worth=0.4),
    Way("3 true", 3, 0.15),
    Way("1 linear", 1, 0.3, linear=True),
    Way("1 linear, far", 1, 0.6, linear=True),
)


class Looker:
    """Decoded errors of codes and their slopes, both in the unit of the latent."""

    def __init__(self, codec: Codec, samples: Tensor) -> None:
        self.transform, self.samples = codec._transform, samples
        self.quantizer = codec._model.quantizer
        patch = len(samples) * self.transform.stride[0] ** 2
        self.unit = self.transform.unit * patch / codec.card.config.synthesis.latent_dim

    def __call__(self, codes: Tensor, *, linear: bool) -> tuple[float, Tensor]:
        values = self.quantizer.reconstruct(codes[None])[0]
        if not linear:
            error, slope = error_slope(self.transform, values, self.samples)
            return error / self.unit, slope / self.unit
        off = self.transform.synthesise(values[None]) - self.samples
        network: Any = self.transform.synthesis
        slope = project(to_patches(off, self.transform.stride), network.basis)[0] * network.scale
        return float(off.square().double().sum()) / self.unit, slope / self.unit


def searched(search: LatentSearch, look: Looker, way: Way, quality: float) -> Tensor:
    """The codes that a way finds."""
    from vqcodec.rate.quality import plan_search

    plan = plan_search(quality, search._energies, search._mu)
    rows, found = search._rows, []
    codes = search._search(rows, plan)
    for step in range(way.steps + 1):
        if way.steps == 0:
            return codes
        error, slope = look(codes, linear=way.linear)
        found.append((error + way.worth * plan.price * search._spent(codes, plan), codes))
        if step < way.steps:
            rows = rows - way.size * slope.flatten(1).T
            codes = search._search(rows.contiguous(), plan)
    return min(found, key=lambda candidate: candidate[0])[1]


def curve(codec: Codec, pixels: np.ndarray[Any, Any], way: Way) -> tuple[list[Any], float]:
    """Bits per pixel and decibels at each quality, and seconds of the processor to the codes."""
    samples = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    points, spent = [], 0.0
    for quality in QUALITIES:
        began = time.process_time()
        with torch.no_grad():
            latent = codec.analyse(samples[None])[0]
            search = codec.search(latent)
            codes = searched(search, Looker(codec, samples), way, quality)
        payloads = encode_region(codes.numpy(), codec._priors, threads=1)
        spent += time.process_time() - began
        decoded = codec.reconstruct(codes[None], extent=samples.shape[1:])[0]
        error = ((decoded.clamp(0, 1) * 255).round() / 255 - samples).square().mean()
        size = min(map(len, payloads.values()))
        points.append((8 * size / samples[0].numel(), -10 * float(error.log10())))
    return points, spent / len(QUALITIES)


def gains(found: dict[str, list[Any]], name: str) -> dict[str, Any]:
    """Decibels over the usual way at equal bits: the mean over pictures and its standard error."""
    told = {}
    for rate in RATES:
        pairs = [
            (value_at(rate, *zip(*ours, strict=True)), value_at(rate, *zip(*usual, strict=True)))
            for ours, usual in zip(found[name], found["usual"], strict=True)
        ]
        ahead = [a - b for a, b in pairs if a is not None and b is not None]
        if len(ahead) > 1:
            spread = statistics.stdev(ahead) / len(ahead) ** 0.5
            told[str(rate)] = [statistics.mean(ahead), spread, len(ahead)]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="photo-psnr")
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("-o", "--output", type=Path, default=None)
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec = load(args.model, device="cpu")
    _, held_out = split_files(find_pictures(args.folder), held_out=HELD_OUT)
    found: dict[str, list[Any]] = {way.name: [] for way in WAYS}
    seconds: dict[str, list[float]] = {way.name: [] for way in WAYS}
    for path in held_out[: args.pictures]:
        pixels = read_rgb(path)
        top, left = ((n - SIDE) // 2 for n in pixels.shape[:2])
        pixels = pixels[max(top, 0) :, max(left, 0) :][:SIDE, :SIDE]
        pixels = pixels[: len(pixels) // 8 * 8, : pixels.shape[1] // 8 * 8]
        for way in WAYS:
            points, spent = curve(codec, pixels, way)
            found[way.name].append(points)
            seconds[way.name].append(spent)
        print(path.name, {name: round(spent[-1], 2) for name, spent in seconds.items()}, flush=True)
    told = {
        name: {"decibels": gains(found, name), "seconds": statistics.median(seconds[name])}
        for name in found
    }
    print(json.dumps(told, indent=1))
    if args.output is not None:
        facts = {"model": codec.card.label, "ways": told, "circumstances": circumstances(())}
        write_whole(args.output, (json.dumps(facts, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
