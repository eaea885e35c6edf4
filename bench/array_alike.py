"""Sets of alike arrays for bench/array_learned.py: some to learn from, others to judge by.

None of the second is of a scene that the first show: other patients, other seeds, other land.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.array_fields import vorticity
from vqcodec.media.picture.crops import find_pictures, read_rgb

Values = NDArray[Any]

SNAPSHOTS, SNAPSHOTS_HELD_OUT, FIRST_SEED = 150, 30, 1000
# Of 256 columns of land: those to the left are learned from, those to the right judge.
LEFT, RIGHT = 96, 160


@dataclass(frozen=True)
class Alike:
    """Arrays (C, H, W) of one dtype, and sides of blocks: the one that does better comes first."""

    train: list[Values]
    test: list[Values]
    sides: tuple[int, int]


class Scale:
    """Values to samples around 1/2, as networks take them, and back to what a decoder gives."""

    def __init__(self, arrays: list[Values]) -> None:
        stack = np.stack(arrays)
        self.mean = stack.mean((0, 2, 3), dtype=np.float64)[:, None, None].astype(np.float32)
        self.span = np.float32(stack.max()) - np.float32(stack.min())

    def samples(self, values: Values) -> Tensor:
        return torch.from_numpy((values.astype(np.float32) - self.mean) / self.span + 0.5)

    def values(self, samples: Tensor, dtype: np.dtype[Any]) -> Values:
        found: Values = (samples.numpy() - 0.5) * self.span + self.mean
        return (found if dtype.kind == "f" else found.round().clip(0, 255)).astype(dtype)


def xrays(data: Path, work: Path) -> Alike:
    """Chests of 100 patients, the middle 256 x 256 of 512 x 512, uint8; every fifth is held out."""
    folder = data / "images" / "domain-xray"
    found = [read_rgb(path)[None, 128:384, 128:384, 1] for path in find_pictures(folder)]
    return Alike([a for n, a in enumerate(found) if n % 5 != 4], found[4::5], (16, 32))


def turbulence(data: Path, work: Path) -> Alike:
    """Vorticity, 256 x 256 float32, after 0.6 units of time, each from a seed of its own."""
    store = work / "turbulence.npy"
    if not store.exists():
        seeds = range(FIRST_SEED, FIRST_SEED + SNAPSHOTS)
        np.save(store, [vorticity(256, 1, 60, seed)[0].astype(np.float32) for seed in seeds])
    found = [field[None] for field in np.load(store)]
    return Alike(found[:-SNAPSHOTS_HELD_OUT], found[-SNAPSHOTS_HELD_OUT:], (16, 32))


def landsat(data: Path, work: Path) -> Alike:
    """One place in 8 years and 4 bands: tiles, 32 x 64 x 96 uint8; those to learn from overlap."""
    whole = np.load(data / "arrays" / "landsat" / "landsat-1985-2020.npy")
    planes = whole.transpose(0, 3, 1, 2).reshape(-1, *whole.shape[1:3])
    left = [planes[:, top : top + 64, :LEFT] for top in range(0, 193, 8)]
    return Alike(left, [planes[:, top : top + 64, RIGHT:] for top in range(0, 256, 64)], (4, 8))


SETS: dict[str, Callable[[Path, Path], Alike]] = {
    "xrays": xrays,
    "turbulence": turbulence,
    "landsat": landsat,
}
