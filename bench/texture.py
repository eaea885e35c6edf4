"""How near the textures of pictures are to those of others, whatever lies where.

Sliced Wasserstein distances of patches of Laplacian pyramids (Karras et al. 2018), power spectra.
Both of the green channel: what is sharp is so in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["patch_distances", "power_lost"]

Pixels = NDArray[np.uint8]

_LEVELS, _SIDE, _PATCHES, _DIRECTIONS = 3, 7, 1024, 256
# Cycles per pixel.
_BANDS = ((1 / 16, 1 / 8), (1 / 8, 1 / 4), (1 / 4, 1 / 2))


def patch_distances(found: Sequence[Pixels], wanted: Sequence[Pixels]) -> list[float]:
    """Sliced Wasserstein distance, in steps of 255, at full size, a half and a quarter.

    Patches of 7 x 7, as many of each picture, at the same places of both; 0 for the same pictures.

    >>> picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    >>> patch_distances([picture], [picture])
    [0.0, 0.0, 0.0]
    """
    directions = np.random.default_rng(0).normal(size=(_DIRECTIONS, _SIDE**2))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    distances = []
    for level in range(_LEVELS):
        ours, theirs = (
            np.concatenate([_patches(_pyramid(_green(p))[level], n) for n, p in enumerate(of)])
            for of in (found, wanted)
        )
        a, b = (np.sort(rows @ directions.T, axis=0) for rows in (ours, theirs))
        distances.append(float(np.abs(a - b).mean()))
    return distances


def power_lost(found: Sequence[Pixels], wanted: Sequence[Pixels]) -> list[float]:
    """Power of pictures over that of others in the three upper octaves, in dB, low ones first.

    The mean of the decibels over pictures; below 0 where detail is missing.
    """
    logs = [10 * np.log10(_power(f) / _power(w)) for f, w in zip(found, wanted, strict=True)]
    return [float(value) for value in np.mean(logs, axis=0)]


def _green(pixels: Pixels) -> Tensor:
    return torch.from_numpy(pixels[None, None, :, :, 1].astype(np.float32))


def _pyramid(plane: Tensor) -> list[Tensor]:
    """What each halving loses, as often as there are levels."""
    line = torch.tensor([1.0, 4, 6, 4, 1]) / 16
    kernel = (line[:, None] * line)[None, None]
    found = []
    for _ in range(_LEVELS):
        small = functional.conv2d(functional.pad(plane, (2, 2, 2, 2), "reflect"), kernel, stride=2)
        large = functional.interpolate(
            small, size=plane.shape[2:], mode="bilinear", align_corners=False
        )
        found.append(plane - large)
        plane = small
    return found


def _patches(level: Tensor, seed: int) -> NDArray[np.float64]:
    """Rows of so many patches."""
    plane = level[0, 0].numpy().astype(np.float64)
    random = np.random.default_rng(seed)
    windows = np.lib.stride_tricks.sliding_window_view(plane, (_SIDE, _SIDE))
    rows, columns = (random.integers(length, size=_PATCHES) for length in windows.shape[:2])
    return windows[rows, columns].reshape(_PATCHES, -1)


def _power(pixels: Pixels) -> NDArray[np.float64]:
    """Mean power in each band."""
    plane = pixels[:, :, 1].astype(np.float64)
    plane = plane - plane.mean()
    for axis, length in enumerate(plane.shape):
        window = np.hanning(length)
        plane = plane * (window[:, None] if axis == 0 else window)
    power = np.abs(np.fft.rfft2(plane)) ** 2
    height, width = plane.shape
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    return np.array([power[(low <= radius) & (radius < high)].mean() for low, high in _BANDS])
