"""How an array is cut into chunks, and in which order its axes are coded."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vqcodec.choices import check_whole
from vqcodec.errors import InputError
from vqcodec.grid import Region

__all__ = ["chunk_of", "order_of", "region_of"]

# Values of a chunk by default: more cost memory, fewer a part of the gain.
_VALUES = 2**20
# Axes shorter than this are slices, across which nothing is interpolated.
_SHORT = 16


def chunk_of(extent: Sequence[int], wanted: Sequence[int] | None) -> tuple[int, ...]:
    """Lengths of a chunk, each at most that of the extent.

    Without a wish the first axes are cut until a chunk has about a million values.

    Raises:
        InputError: another number of axes, or a length below 1.

    >>> chunk_of((50, 1000, 1000), None), chunk_of((50, 70), (64, 64))
    ((1, 1000, 1000), (50, 64))
    """
    if wanted is not None:
        if len(wanted) != len(extent):
            raise InputError(f"a chunk has {len(extent)} axes as the array, got {tuple(wanted)}")
        for length in wanted:
            check_whole("chunk", length, 1)
        return tuple(min(int(n), m) for n, m in zip(wanted, extent, strict=True))
    chunk = list(extent)
    for axis, length in enumerate(extent):
        others = math.prod(chunk) // length
        if length * others <= _VALUES:
            break
        pieces = -(-length // max(1, _VALUES // others))
        chunk[axis] = -(-length // pieces)
    return tuple(chunk)


def order_of(extent: Sequence[int], *, parts: bool) -> tuple[int, ...]:
    """The axes as they are coded: short ones first, with the parts of complex values before all.

    >>> order_of((8, 256, 256, 4), parts=False)
    (0, 3, 1, 2)
    """
    first = 1 if parts else 0
    axes = range(len(extent))
    short = [first + axis for axis in axes if extent[axis] < _SHORT]
    long = [first + axis for axis in axes if extent[axis] >= _SHORT]
    return (*range(first), *short, *long)


def region_of(slices: Sequence[slice], extent: Sequence[int]) -> Region:
    """Slices as NumPy reads them, with both ends; later axes that are not named are whole.

    Raises:
        InputError: too many, or one with a step, without values, or of no whole numbers.

    >>> region_of((slice(None, -2),), (8, 3))
    (slice(0, 6, None), slice(0, 3, None))
    """
    parts = (*slices, *(slice(None) for _ in extent[len(slices) :]))
    if len(parts) > len(extent) or not all(isinstance(part, slice) for part in parts):
        raise InputError(f"a region is at most {len(extent)} slices, got {parts!r:.80}")
    found = []
    for part, length in zip(parts, extent, strict=True):
        try:
            start, stop, step = part.indices(length)
        except TypeError as error:
            raise InputError(f"a region has whole numbers, got {part}") from error
        if step != 1 or start >= stop:
            raise InputError(f"a region has a value and no step along each axis, got {part}")
        found.append(slice(start, stop))
    return tuple(found)
