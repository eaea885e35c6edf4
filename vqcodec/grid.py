"""Which positions stand for a signal, and how they are cut into regions: integers, any axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

__all__ = [
    "Region",
    "clip",
    "count_regions",
    "cover",
    "cut",
    "inside",
    "lengths",
    "meeting",
    "shrink",
    "stretch",
    "whole",
    "widen",
]

Region = tuple[slice, ...]


def cover(extent: Sequence[int], stride: Sequence[int]) -> tuple[int, ...]:
    """How many positions cover so many samples, along each axis.

    >>> cover((427, 640), (8, 8))
    (54, 80)
    """
    return tuple(-(-length // step) for length, step in zip(extent, stride, strict=True))


def count_regions(positions: Sequence[int], side: Sequence[int]) -> int:
    """How many regions of at most `side` positions a grid is cut into.

    >>> count_regions((54, 200), (128, 128))
    2
    """
    return math.prod(cover(positions, side))


def cut(positions: Sequence[int], side: Sequence[int]) -> Iterator[Region]:
    """Cut a grid into regions, in the order of their chunks: the last axis runs fastest.

    Those at the far ends are as long as what is left.

    >>> list(cut((3, 5), (4, 4)))
    [(slice(0, 3, None), slice(0, 4, None)), (slice(0, 3, None), slice(4, 5, None))]
    """
    return (region for _, region in meeting(whole(positions), positions, side))


def meeting(
    window: Region, positions: Sequence[int], side: Sequence[int]
) -> Iterator[tuple[int, Region]]:
    """The regions of a grid that share a position with a part of it, each with its number.

    >>> list(meeting((slice(0, 3), slice(4, 5)), (3, 5), (4, 4)))
    [(1, (slice(0, 3, None), slice(4, 5, None)))]
    """
    counts = cover(positions, side)
    along = [
        range(part.start // step, -(-part.stop // step))
        for part, step in zip(window, side, strict=True)
    ]
    for place in itertools.product(*along):
        number = 0
        for index, count in zip(place, counts, strict=True):
            number = number * count + index
        yield (
            number,
            tuple(
                slice(index * step, min(index * step + step, length))
                for index, step, length in zip(place, side, positions, strict=True)
            ),
        )


def whole(extent: Sequence[int]) -> Region:
    """All of it, as a region.

    >>> whole((3, 5))
    (slice(0, 3, None), slice(0, 5, None))
    """
    return tuple(slice(0, length) for length in extent)


def clip(region: Region, other: Region) -> Region:
    """What two regions share; the lengths of what they do not are not positive.

    >>> clip((slice(4, 8),), (slice(0, 6),))
    (slice(4, 6, None),)
    """
    return tuple(
        slice(max(part.start, bound.start), min(part.stop, bound.stop))
        for part, bound in zip(region, other, strict=True)
    )


def lengths(region: Region) -> tuple[int, ...]:
    """How many positions a region has along each axis.

    >>> lengths((slice(0, 3), slice(4, 5)))
    (3, 1)
    """
    return tuple(part.stop - part.start for part in region)


def widen(
    region: Region, reach: int, positions: Sequence[int], *, ahead: int | None = None
) -> Region:
    """Add `reach` positions on every side of a region, as far as the grid goes.

    ahead: how many behind its end instead.

    >>> widen((slice(4, 8),), 3, (10,)), widen((slice(4, 8),), 3, (10,), ahead=1)
    ((slice(1, 10, None),), (slice(1, 9, None),))
    """
    ahead = reach if ahead is None else ahead
    return tuple(
        slice(max(0, part.start - reach), min(length, part.stop + ahead))
        for part, length in zip(region, positions, strict=True)
    )


def inside(region: Region, outer: Region) -> Region:
    """Where a region lies within a larger one that holds it.

    >>> inside((slice(4, 8),), (slice(1, 10),))
    (slice(3, 7, None),)
    """
    return tuple(
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(region, outer, strict=True)
    )


def shrink(region: Region, factor: int) -> Region:
    """The blocks of so many samples along each axis that a region meets, as a region of them.

    >>> shrink((slice(8, 24), slice(0, 5)), 8)
    (slice(1, 3, None), slice(0, 1, None))
    """
    return tuple(slice(part.start // factor, -(-part.stop // factor)) for part in region)


def stretch(region: Region, factors: Sequence[int]) -> Region:
    """The samples that a region stands for, where each position stands for so many.

    >>> stretch((slice(1, 3), slice(0, 2)), (8, 4))
    (slice(8, 24, None), slice(0, 8, None))
    """
    return tuple(
        slice(part.start * factor, part.stop * factor)
        for part, factor in zip(region, factors, strict=True)
    )
