"""Numbers to the integers that are predicted, and back: by a lattice, by words, or by ranks.

Lattice: number = offset + unit * t, in float64, then rounded to the dtype. Words: the integers of
`words.py`, t = (word - base) >> shift modulo 2^64, the low bits apart. Ranks: t is a place in a
table of words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import CorruptError
from vqcodec.media.array.description import Description
from vqcodec.media.array.words import numbers_of, words_of

__all__ = ["Coding", "part_dtype", "targets_of"]

_MOST_T = 1 << 53


@dataclass(frozen=True, eq=False)
class Coding:
    """All that chunks are coded by.

    table: of ranks, int64, rising; empty otherwise. starts: the first word of each rank, which only
    an encoder needs. coefficients: of the linear family, int16 (4, 27), otherwise None.
    """

    description: Description
    table: NDArray[np.int64]
    starts: NDArray[np.int64]
    coefficients: NDArray[np.int16] | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the parts of values."""
        return part_dtype(self.description)

    def numbers(self, t: NDArray[np.int64], low: NDArray[np.uint64] | None) -> NDArray[Any]:
        """What integers stand for; those between ranks or beyond them are a neighbour's.

        Raises:
            CorruptError: integers that no encoder comes to.
        """
        d = self.description
        if d.map == "ranks":
            return numbers_of(self.table[np.clip(t, 0, len(self.table) - 1)], self.dtype)
        if d.map == "lattice":
            if t.size and max(abs(int(t.min())), abs(int(t.max()))) > _MOST_T:
                raise CorruptError("a value outside its range")
            with np.errstate(over="ignore"):
                return (d.offset + d.unit * t.astype(np.float64)).astype(self.dtype)
        above = np.maximum(t, 0).astype(np.uint64) << np.uint64(d.shift)
        if low is not None:
            above |= low
        elif d.shift:
            above += np.uint64(1 << (d.shift - 1))
        words = (np.uint64(d.base) + above).view(np.int64)
        return numbers_of(words, self.dtype)


def part_dtype(description: Description) -> np.dtype[Any]:
    """The dtype of the real and imaginary parts, or of real values themselves, native."""
    if description.is_complex:
        return np.dtype(f"f{description.item}")
    return np.dtype(description.dtype)


def targets_of(numbers: NDArray[Any], coding: Coding) -> NDArray[np.int64]:
    """The integers of finite numbers; of others any."""
    d = coding.description
    if d.map == "lattice":
        with np.errstate(invalid="ignore", over="ignore"):
            exact = (numbers.astype(np.float64) - d.offset) / d.unit
            rounded = np.rint(np.nan_to_num(exact, nan=0.0, posinf=0.0, neginf=0.0))
        return np.clip(rounded, -_MOST_T, _MOST_T).astype(np.int64)
    words = words_of(numbers)
    if d.map == "ranks":
        return np.maximum(np.searchsorted(coding.starts, words, "right") - 1, 0).astype(np.int64)
    above = words.view(np.uint64) - np.uint64(d.base)
    return (above >> np.uint64(d.shift)).view(np.int64)
