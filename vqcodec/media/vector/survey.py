"""Vectors looked at once, all of them, before anything is learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.vector.signal import Vectors

__all__ = ["Survey", "survey"]

_BLOCK = 4096
# What is learned from: rows, and numbers in all.
_MOST_ROWS, _MOST_NUMBERS = 2**16, 2**26


@dataclass(frozen=True, eq=False)
class Survey:
    """mean: float64 (D,). spread: the mean of ||x - mean||^2.

    sample: float32 (n, D), evenly spaced rows, all if they are few. axes: float64 (D, D), its
    principal axes, the one of the largest variance first. spectrum: float64 (D,), these variances.
    """

    mean: NDArray[np.float64]
    spread: float
    sample: NDArray[np.float32]
    axes: NDArray[np.float64]
    spectrum: NDArray[np.float64]


def survey(vectors: Vectors) -> Survey:
    """Look at all vectors block by block. Raises: InputError, as `Vectors.blocks`.

    >>> found = survey(Vectors(np.array([[0, 1], [0, 3]], np.float32)))
    >>> found.mean, found.spread, found.spectrum
    (array([0., 2.]), 1.0, array([1., 0.]))
    """
    count, dim = vectors.extent
    total, squares = np.zeros(dim), 0.0
    for block in vectors.blocks(_BLOCK):
        total += block.sum(axis=0, dtype=np.float64)
        squares += float(np.einsum("nd,nd->", block, block, dtype=np.float64))
    mean = total / count
    rows = min(count, _MOST_ROWS, max(1, _MOST_NUMBERS // dim))
    sample = vectors.taken(np.arange(rows) * count // rows)
    scatter = np.zeros((dim, dim))
    for start in range(0, rows, _BLOCK):
        centred = sample[start : start + _BLOCK] - mean
        scatter += centred.T @ centred
    spectrum, axes = np.linalg.eigh(scatter / rows)
    spread = max(0.0, squares / count - float(mean @ mean))
    return Survey(mean, spread, sample, axes.T[::-1].copy(), np.maximum(spectrum[::-1], 0.0))
