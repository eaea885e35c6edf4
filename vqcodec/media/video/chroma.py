"""Chroma at every sample of luma, linear between its own, and back by what undoes that exactly.

All in integers. Where a sample of chroma lies on one of luma it is gathered with the weights
(-1, 2, 6, 2, -1) / 8 around it, where it lies between two with (-1, 3, 3, -1) / 4. Beyond a border
the samples at it go on; at that of an odd side half of a pair is missing, and it is not exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["GATHER_BITS", "SPREAD_BITS", "gather", "halved", "spread"]

Integers = NDArray[np.int32]

# In units of what fraction, as a power of two, samples are spread and gathered in both directions.
SPREAD_BITS, GATHER_BITS = 4, 6
# By siting: whether chroma lies on the first (0) of two samples of luma, between (1) or on the
# second (2), across and down.
_ACROSS = (0, 1, 0, 1, 0, 1)
_DOWN = (1, 1, 0, 0, 2, 2)
# By that: weights in units of 1/8, and how far the first of them lies from the first sample.
_TAPS = {0: (-2, (-1, 2, 6, 2, -1)), 1: (-1, (-2, 6, 6, -2)), 2: (-1, (-1, 2, 6, 2, -1))}


def spread(plane: NDArray[np.uint8], extent: tuple[int, int], siting: int) -> Integers:
    """Chroma less 128, in units of 1/16, at every sample of a frame's luma.

    >>> spread(np.array([[128, 129]], np.uint8), (1, 4), siting=0)
    array([[ 0,  8, 16, 16]], dtype=int32)
    """
    numbers = plane.astype(np.int32) - 128
    across = _spread(numbers.T, extent[1], _ACROSS[siting]).T
    return _spread(across, extent[0], _DOWN[siting])


def gather(plane: Integers, siting: int) -> Integers:
    """What a plane is at the samples of chroma, in units of 1/64; it may overshoot by its range.

    >>> gather(np.array([[0, 4], [0, 4]], np.int32), siting=1)
    array([[128]], dtype=int32)
    """
    down = _gather(plane, _DOWN[siting])
    return _gather(down.T, _ACROSS[siting]).T


def halved(plane: NDArray[np.uint8], siting: int, *, down: bool, across: bool) -> NDArray[np.uint8]:
    """Chroma of 4:4:4 or 4:2:2 as that of 4:2:0: half as many rows, half as many columns, or both.

    >>> halved(np.array([[0], [5]], np.uint8), 0, down=True, across=False)
    array([[3]], dtype=uint8)
    """
    numbers, bits = plane.astype(np.int32), 0
    if down:
        numbers, bits = _gather(numbers, _DOWN[siting]), bits + GATHER_BITS // 2
    if across:
        numbers, bits = _gather(numbers.T, _ACROSS[siting]).T, bits + GATHER_BITS // 2
    return ((numbers + ((1 << bits) >> 1)) >> bits).clip(0, 255).astype(np.uint8)


def _spread(rows: Integers, length: int, phase: int) -> Integers:
    """Rows between and at those there are, times 4."""
    before = np.concatenate((rows[:1], rows[:-1]))
    after = np.concatenate((rows[1:], rows[-1:]))
    out = np.empty((2 * len(rows), *rows.shape[1:]), np.int32)
    if phase == 1:
        out[0::2], out[1::2] = 3 * rows + before, 3 * rows + after
    elif phase == 0:
        out[0::2], out[1::2] = 4 * rows, 2 * (rows + after)
    else:
        out[0::2], out[1::2] = 2 * (before + rows), 4 * rows
    return out[:length]


def _gather(rows: Integers, phase: int) -> Integers:
    """Half as many rows, times 8."""
    first, taps = _TAPS[phase]
    length, halves = len(rows), (len(rows) + 1) // 2
    padded = np.pad(rows, [(2, 2 + length % 2), (0, 0)], mode="edge")
    out = np.zeros((halves, *rows.shape[1:]), np.int32)
    for place, tap in enumerate(taps, first + 2):
        out += tap * padded[place : place + 2 * halves - 1 : 2]
    return out
