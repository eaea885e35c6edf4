"""A field in memory: values over a plane, in one channel or several."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.grid import Region
from vqcodec.media.field.chunks import DTYPES, MAX_CHANNELS

__all__ = ["Field"]

# Values that are looked at together, so that a field that is mapped from a file stays there.
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Field:
    """Bands, slices or levels over one plane; NaN is a value that is missing.

    values: (H, W), or (C, H, W) of 1 to 256 channels, also mapped from a file: int8 to int32, uint8
    to uint32, float16 to float64.

    Raises:
        InputError: another dtype or shape, an empty field, or values that are infinite or beyond
            what float32 holds.

    >>> Field(np.zeros((4, 30, 50), np.float32)).extent
    (30, 50)
    """

    values: NDArray[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.values, np.ndarray) or self.values.dtype.name not in DTYPES:
            kind = getattr(self.values, "dtype", type(self.values).__name__)
            raise InputError(f"no field of numbers that a model takes: {kind!s:.60}")
        if isinstance(self.values, np.ma.MaskedArray):
            raise InputError("a masked field: fill it with NaN where values are missing")
        shape = self.values.shape
        if (
            len(shape) not in (2, 3)
            or min(shape) < 1
            or (len(shape) == 3 and shape[0] > MAX_CHANNELS)
        ):
            raise InputError(
                f"a field is (H, W), or (C, H, W) of 1 to {MAX_CHANNELS} channels, got {shape}"
            )
        if self.values.dtype.kind == "f":
            self._check_values()

    @property
    def planes(self) -> NDArray[Any]:
        """The values, (C, H, W)."""
        return self.values if self.values.ndim == 3 else self.values[np.newaxis]

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.values.shape[-2:]
        return int(rows), int(columns)

    @property
    def channels(self) -> int:
        """Values at a place."""
        return int(self.planes.shape[0])

    @cached_property
    def missing(self) -> NDArray[np.bool_] | None:
        """Where values are missing, bool (C, H, W); None if nowhere."""
        if self.values.dtype.kind != "f":
            return None
        mask: NDArray[np.bool_] = np.isnan(self.planes)
        return mask if mask.any() else None

    def filled(self, region: Region) -> NDArray[np.float32]:
        """The values of a part, float32 (C, *lengths).

        Where one is missing stands the mean of its channel; one that has none at all stays NaN.
        """
        found = self.planes[:, *region].astype(np.float32)
        if self.missing is not None:
            blanks = np.broadcast_to(self._means[:, np.newaxis, np.newaxis], found.shape)
            np.copyto(found, blanks, where=self.missing[:, *region])
        return found

    @cached_property
    def _means(self) -> NDArray[np.float32]:
        """Of what is there of each channel; NaN where nothing is."""
        found = [plane[~np.isnan(plane)].astype(np.float64) for plane in self.planes]
        return np.array([part.mean() if part.size else np.nan for part in found], np.float32)

    def _check_values(self) -> None:
        for first in range(0, self.extent[0], _ROWS_AT_ONCE):
            part = self.planes[:, first : first + _ROWS_AT_ONCE]
            with np.errstate(over="ignore"):
                far = np.isinf(part.astype(np.float32))
            if far.any():
                raise InputError(f"a value is infinite, or beyond float32: {part[far][0]!s}")
