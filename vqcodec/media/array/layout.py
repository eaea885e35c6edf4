"""How an array is cut into chunks, and in which order its axes are coded."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vqcodec.choices import check_whole
from vqcodec.errors import InputError

__all__ = ["chunk_of", "order_of"]

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
