"""The arrays of bench/arrays.py: five that were measured by others, and three that are made here.

The made ones need NumPy alone, and the same seed gives the same fields up to the last digits of an
FFT. They are models of their kinds, no measurements: what they show is how coders take them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]

FILES = {
    "wind": "climate/era-interim-u-month01.npy",
    "geopotential": "climate/era-interim-z-month01.npy",
    "elevation": "elevation/etopo20-world.npy",
    "CT": "ct-volume/stent.npz",
    "landsat": "landsat/landsat-1985-2020.npy",
}


def read(folder: Path, name: str) -> Values:
    """One of the files; of an archive its only array."""
    found = np.load(folder / FILES[name])
    values: Values = found[found.files[0]] if hasattr(found, "files") else found
    return values


def frequencies(shape: tuple[int, ...]) -> tuple[Values, ...]:
    """Whole wave numbers of each axis, as rfftn lays them out."""
    full = [np.fft.fftfreq(length, 1 / length) for length in shape[:-1]]
    last = np.fft.rfftfreq(shape[-1], 1 / shape[-1])
    return tuple(np.meshgrid(*full, last, indexing="ij"))


def random_field(shape: tuple[int, ...], slope: float, rng: np.random.Generator) -> Values:
    """Periodic Gaussian noise of unit variance whose amplitudes fall with frequency ** -slope."""
    squared = np.sum(np.square(frequencies(shape)), axis=0)
    squared.flat[0] = np.inf
    waves = np.fft.rfftn(rng.standard_normal(shape)) * squared ** (-slope / 2)
    field: Values = np.fft.irfftn(waves, shape, range(len(shape)))
    scaled: Values = field / field.std()
    return scaled


def vorticity(size: int = 256, snapshots: int = 8, steps: int = 40, seed: int = 1) -> Values:
    """Decaying turbulence in two dimensions, float64: snapshots x size x size.

    The vorticity equation on a periodic square of side 2 pi, pseudo-spectral with the 2/3 rule,
    Runge-Kutta of the fourth order, so many steps of 0.01 between snapshots, viscosity 5e-4.
    """
    rng = np.random.default_rng(seed)
    ky, kx = frequencies((size, size))
    squared = kx**2 + ky**2
    inverse = np.where(squared > 0, 1 / np.maximum(squared, 1), 0)
    kept = (np.abs(kx) < size / 3) & (np.abs(ky) < size / 3)
    shell = np.exp(-((np.sqrt(squared) - 8) ** 2) / 8)
    w = np.fft.rfft2(rng.standard_normal((size, size))) * shell * kept
    w *= 5 / np.fft.irfft2(w).std()
    step, decay = 0.01, np.exp(-5e-4 * squared * 0.01)

    def change(w: Values) -> Values:
        stream = w * inverse
        back = [np.fft.irfft2(1j * f) for f in (ky * stream, -kx * stream, kx * w, ky * w)]
        moved: Values = np.fft.rfft2(back[0] * back[2] + back[1] * back[3])
        return -moved * kept

    fields = []
    for _ in range(snapshots):
        for _ in range(steps):
            first = change(w)
            second = change(w + step / 2 * first)
            third = change(w + step / 2 * second)
            fourth = change(w + step * third)
            w = (w + step / 6 * (first + 2 * second + 2 * third + fourth)) * decay
        fields.append(np.fft.irfft2(w))
    return np.stack(fields)


def ocean(height: int = 240, width: int = 480, levels: int = 4, seed: int = 2) -> Values:
    """Temperatures with coasts, degrees Celsius, float32: levels x height x width; land is NaN.

    Warm about the equator, eddies of a spectral slope of -3 in energy, colder and calmer with
    depth; the deeper, the more of the bottom is land.
    """
    rng = np.random.default_rng(seed)
    latitude = np.linspace(-np.pi / 2, np.pi / 2, height)[:, None]
    bottom = random_field((height, width), 2.0, rng)
    eddies = random_field((height, width), 2.0, rng)
    field = np.empty((levels, height, width), np.float32)
    for level in range(levels):
        eddies = 0.9 * eddies + 0.436 * random_field((height, width), 2.0, rng)
        calm = np.exp(-0.5 * level)
        field[level] = 2 + calm * (26 * np.cos(latitude) ** 2 + 1.5 * eddies)
        field[level][bottom > 0.6 - 0.25 * level] = np.nan
    return field


def volume(depth: int = 48, size: int = 128, seed: int = 3) -> Values:
    """A tomogram of 12 bits, uint16 0 to 4095: depth x size x size.

    Thirty ellipsoids of tissue in a body, partly textured, blurred by a voxel, with the noise of
    a scanner (correlated, standard deviation 12) and air of value 0 outside.
    """
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in (depth, size, size)), indexing="ij")
    body = (grid[1] / 0.85) ** 2 + (grid[2] / 0.7) ** 2 < 1
    shape = body.shape
    values = np.where(body, 1000.0, 0.0)
    for _ in range(30):
        middle, radius = rng.uniform(-0.6, 0.6, 3), rng.uniform(0.05, 0.35, 3)
        within = sum(((g - m) / r) ** 2 for g, m, r in zip(grid, middle, radius, strict=True)) < 1
        values[within & body] = rng.choice([100, 850, 1050, 1100, 1300, 2200, 3900])
    values += 30 * random_field(shape, 1.5, rng) * body
    waves = np.sum(np.square([f / n for f, n in zip(frequencies(shape), shape, strict=True)]), 0)
    blur = np.exp(-2 * np.pi**2 * 0.8**2 * waves)
    values = np.fft.irfftn(np.fft.rfftn(values) * blur, shape, (0, 1, 2))
    values += 12 * random_field(shape, 0.3, rng)
    return np.clip(np.rint(values * (values > 200)), 0, 4095).astype(np.uint16)


MADE: dict[str, Callable[[], Values]] = {
    "vorticity (made)": vorticity,
    "ocean (made)": ocean,
    "volume, 12 bits (made)": volume,
}
