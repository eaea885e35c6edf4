"""Vectors in memory, or in a file that is read as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.vector.letters import DTYPES, MAX_DIM

__all__ = ["Vectors"]

# Their squares, and sums of these, stay within float32.
_LARGEST = 2.0**50


@dataclass(frozen=True, eq=False)
class Vectors:
    """Rows of numbers, each for itself; they keep their order.

    values: float32 or float16 (N, D) of any byte order and layout, N >= 1, D in [1, 4096].

    Raises:
        InputError: showing what it is instead.

    >>> Vectors(np.zeros((3, 5), np.float32)).extent
    (3, 5)
    >>> Vectors(np.zeros((3, 5)))
    Traceback (most recent call last):
    vqcodec.errors.InputError: vectors are float32 or float16, got float64: use .astype("float32")
    """

    values: NDArray[Any]

    def __post_init__(self) -> None:
        values = self.values
        if not isinstance(values, np.ndarray) or isinstance(values, np.ma.MaskedArray):
            raise InputError(f"vectors are an array (N, D), got {type(values).__name__}")
        if values.ndim != 2:
            raise InputError(f"vectors are (N, D), one a row, got {values.shape!s:.60}")
        if values.dtype.name not in DTYPES:
            raise InputError(
                f"vectors are {' or '.join(DTYPES)}, got {values.dtype!s:.40}: "
                'use .astype("float32")'
            )
        if values.shape[0] < 1 or not 1 <= values.shape[1] <= MAX_DIM:
            raise InputError(f"vectors are (N, D), N from 1, D 1 to {MAX_DIM}, got {values.shape}")

    @property
    def extent(self) -> tuple[int, ...]:
        """How many vectors, and of how many numbers."""
        return self.values.shape

    @property
    def channels(self) -> int:
        """One: every number is a sample."""
        return 1

    def blocks(self, rows: int) -> Iterator[NDArray[np.float32]]:
        """All of them, float32 (at most `rows`, D), block by block.

        Raises:
            InputError: NaN, infinity or a number beyond 2^50.
        """
        for start in range(0, len(self.values), rows):
            yield self.taken(np.arange(start, min(start + rows, len(self.values))))

    def taken(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of these numbers, float32. Raises: InputError, as `blocks`."""
        found = np.ascontiguousarray(self.values[numbers], np.float32)
        bad = ~(np.abs(found) <= _LARGEST)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            value = float(found[row, column])
            raise InputError(
                f"vector {numbers[row]} has {value:g} at {column}: vectors are finite, within 2^50"
            )
        return found
