"""A picture whose rows are drawn when they are needed and let go: larger ones than memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.grid import Region
from vqcodec.media.picture.data_range import EIGHT_BITS, DataRange

__all__ = ["PictureRows"]

Pixels = NDArray[np.uint8]

_END: Any = object()
_MOST_PIXELS = 2**40


class PictureRows:
    """A picture of rows that come in order, from anywhere; those that are still needed are held.

    These are a row of regions and what the networks see around it, some 1,200 rows for the built-in
    models.

    Args:
        rows: gives uint8 rows from the top, one (W, C) or any number (n, W, C) at a time; for grey
            (W,) and (n, W), too. They are copied. An iterator gives them once, which is enough for
            a quality; a target in bytes or decibels needs an iterable that begins anew each time.
        extent: how many rows there are, and pixels in a row.
        channels: 1 grey, 3 RGB. A picture with alpha has to be a whole `Picture`.
        icc, exif: as of a `Picture`.

    Raises:
        InputError: an extent or channels that no picture has; while it is encoded, rows of another
            shape or dtype, fewer or more of them, or none where they are needed once more.

    >>> gradient = (np.full((64, 3), row, np.uint8) for row in range(48))
    >>> picture = PictureRows(gradient, extent=(48, 64), channels=3)
    >>> picture.window((slice(4, 6), slice(0, 1)))[:, 0, 0]
    array([4, 5], dtype=uint8)
    >>> picture.held
    2
    """

    def __init__(
        self,
        rows: Iterable[NDArray[np.uint8]],
        *,
        extent: tuple[int, int],
        channels: int = 3,
        icc: bytes | None = None,
        exif: bytes | None = None,
    ) -> None:
        if len(extent) != 2 or not all(type(n) is int and n > 0 for n in extent):
            raise InputError(f"an extent is two whole numbers from 1, rows first, got {extent!r}")
        if math.prod(extent) > _MOST_PIXELS:
            raise InputError(f"a picture has at most 2**40 pixels, got {extent[0]} x {extent[1]}")
        if channels not in (1, 3):
            raise InputError(f"rows have 1 or 3 channels, got {channels!r}: alpha needs a Picture")
        self.extent, self.channels, self.icc, self.exif = extent, channels, icc, exif
        self._rows = rows
        self._source: Iterator[Pixels] | None = None
        self._bands: deque[Pixels] = deque()
        self._first = self._drawn = 0

    bits = EIGHT_BITS.bits
    data_range: DataRange = EIGHT_BITS

    @property
    def drawn_once(self) -> bool:
        """Whether the rows are an iterator, which gives them once."""
        return isinstance(self._rows, Iterator)

    @property
    def held(self) -> int:
        """Rows that are in memory now."""
        return self._drawn - self._first

    def window(self, region: Region) -> Pixels:
        """The pixels of a region, uint8 (rows, columns, C); rows above it are let go.

        Raises:
            InputError: the rows are not as they should be, or cannot be drawn once more.
        """
        rows, columns = region
        if self._source is None or rows.start < self._first:
            self._begin()
        while self._drawn < rows.stop:
            self._let_go(rows.start)
            self._draw()
        parts, top = [], self._first
        for band in self._bands:
            inside = slice(max(0, rows.start - top), max(0, rows.stop - top))
            parts.append(band[inside, columns])
            top += len(band)
        return np.concatenate(parts)

    def _begin(self) -> None:
        if self._source is not None and self._source is self._rows:
            raise InputError(
                "the rows are needed once more and can be drawn once: ask for a quality, "
                "or give rows that begin anew"
            )
        self._source = iter(self._rows)
        self._bands.clear()
        self._first = self._drawn = 0

    def _let_go(self, start: int) -> None:
        """Forget the bands that end before a row."""
        while self._bands and self._first + len(self._bands[0]) <= start:
            self._first += len(self._bands.popleft())

    def _draw(self) -> None:
        """Take what comes next, and look whether all ends where it should."""
        assert self._source is not None
        height = self.extent[0]
        band = next(self._source, _END)
        if band is _END:
            raise InputError(f"the rows end after {self._drawn} of {height}")
        self._bands.append(self._checked(band))
        self._drawn += len(self._bands[-1])
        if self._drawn > height or (self._drawn == height and next(self._source, _END) is not _END):
            raise InputError(f"there are more rows than {height}")

    def _checked(self, band: Pixels) -> Pixels:
        """A copy of rows as (n, W, C): who makes them may fill the same memory again."""
        one = (self.extent[1], self.channels)
        shape, dtype = np.shape(band), getattr(band, "dtype", type(band).__name__)
        grey = self.channels == 1 and len(shape) in (1, 2) and shape[-1:] == one[:1]
        fits = (len(shape) in (2, 3) and shape[-2:] == one) or grey
        if dtype != np.uint8 or not fits or 0 in shape:
            hint = ""
            if dtype == np.uint16:
                # Their range is needed before the first of them is coded.
                hint = ": sixteen bits need a Picture, whose pixels may be a numpy.memmap"
            raise InputError(f"rows are uint8 {one} or (n, *{one}), got {dtype} {shape}{hint}")
        return np.array(band, order="C").reshape(-1, *one)
