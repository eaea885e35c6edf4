"""Arrays in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.array.description import DTYPES, MAX_AXES, extent_of

__all__ = ["Array"]


@dataclass(frozen=True, eq=False)
class Array:
    """Numbers of any supported dtype, byte order, layout and shape, also mapped from a file.

    values: bool, int8 to int64, uint8 to uint64, float16 to float64, complex64 or complex128, of 0
    to 16 axes, of which some may be empty.

    Raises:
        InputError: another dtype, or too many axes.

    >>> Array(np.zeros((3, 0), ">f4")).extent
    (3, 1)
    """

    values: NDArray[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.values, np.ndarray) or self.values.dtype.name not in DTYPES:
            kind = getattr(self.values, "dtype", type(self.values).__name__)
            raise InputError(f"no array of numbers that can be coded: {kind!s:.60}")
        if isinstance(self.values, np.ma.MaskedArray):
            raise InputError("a masked array: fill it, and say the value with missing=")
        if self.values.ndim > MAX_AXES:
            raise InputError(f"an array has at most {MAX_AXES} axes, got {self.values.ndim}")

    @property
    def extent(self) -> tuple[int, ...]:
        """Values along each axis; 1 for an empty axis, and for an array without axes."""
        return extent_of(self.values.shape)

    @property
    def channels(self) -> int:
        """One: a value is one number, also a complex one."""
        return 1
