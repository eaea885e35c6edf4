"""How an array is coded: the candidate that codes samples of it in the fewest bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.array.candidates import candidates, families, plain, refitted
from vqcodec.media.array.chunk_codec import Coded, encode_chunk
from vqcodec.media.array.description import Description
from vqcodec.media.array.integers import Coding
from vqcodec.media.array.statistics import Statistics
from vqcodec.media.array.tables import table_bytes
from vqcodec.media.array.threads import in_threads

__all__ = ["choose"]


@dataclass(frozen=True)
class _Round:
    """Samples of so many values each, where they lie, and who is tried on the next ones.

    at: of each sample, 0 at the beginning of all axes and 1 at their ends. Next are tried those of
    at most `times` the bytes of the best and `more`, as few bytes say little; of them the first
    `most`.
    """

    values: int
    at: tuple[float, ...]
    times: float = 1.0
    more: int = 0
    most: int = 1


_MIDDLE, _SIDES = (1 / 2,), (1 / 6, 5 / 6)
_ROUNDS = (
    _Round(1 << 13, _MIDDLE, times=1.2, more=60, most=8),
    _Round(1 << 13, _SIDES, times=1.05, more=60, most=4),
    _Round(1 << 14, _MIDDLE + _SIDES, more=60, most=2),
    _Round(1 << 20, _MIDDLE),
)
# Values that coefficients are fitted to in the end.
_FITTED = 1 << 18
# So few bytes rule nobody out but by the above.
_LITTLE = 150
# Of candidates of a family that differ by less the first one does.
_SAME = 1.005

Sample = Callable[[int, float], NDArray[Any]]


def choose(
    sample: Sample, blank: Description, found: Statistics, *, threads: int | None
) -> tuple[Coding, Coded | None]:
    """The candidate that codes samples of the array in the fewest bytes.

    sample: parts of at most about so many values, as of a chunk, that lie so far along all axes.
    blank: a description of which map and family are open. Returns also what the array is coded as,
    where a sample was all of it.
    """
    if not found.count:
        return plain(blank), None
    total = math.prod(blank.shape) * (2 if blank.is_complex else 1)
    parts = _samples(sample, _ROUNDS[0], total)
    live = [coding for made in candidates(blank, found) for coding in families(parts[0], made)]
    for this in _ROUNDS:
        if this is not _ROUNDS[0]:
            earlier, parts = parts, _samples(sample, this, total)
            if parts[0].size <= earlier[0].size and len(parts) <= len(earlier):
                break
            live = [refitted(_best_to_fit(parts), coding) for coding in live]
        tried = list(in_threads(partial(_code, parts), live, threads))
        share = sum(part.size for part in parts) / total
        sized = sorted(
            (sum(len(one.payload) for one in coded) + share * len(table_bytes(coding)), place)
            for place, (coding, coded) in enumerate(zip(live, tried, strict=True))
        )
        best = live[sized[0][1]]
        if parts[0].size == total:
            return best, tried[sized[0][1]][0]
        live = [live[place] for place in _nearest(sized, live, this)]
        if len(live) == 1:
            break
    return refitted(sample(_FITTED, 1 / 2), best), None


def _samples(sample: Sample, this: _Round, total: int) -> list[NDArray[Any]]:
    """Of a round; everything where that is hardly more."""
    if len(this.at) > 1 and 2 * this.values * len(this.at) > total:
        return [sample(total, 1 / 2)]
    return [sample(this.values, at) for at in this.at]


def _best_to_fit(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """The largest part without gaps, if there is one."""
    return max(parts, key=lambda part: (bool(np.isfinite(part).all()), part.size))


def _code(parts: list[NDArray[Any]], coding: Coding) -> list[Coded]:
    return [encode_chunk(part, coding) for part in parts]


def _nearest(sized: list[tuple[float, int]], live: list[Coding], this: _Round) -> Iterator[int]:
    """Places of those that a larger sample must tell apart; sizes are rising."""
    smallest = sized[0][0]
    kept: dict[tuple[str, bool], float] = {}
    count = 0
    for size, place in sized:
        d = live[place].description
        near = size <= this.times * smallest + this.more
        twin = kept.get((d.family, d.tight), 0.0)
        if near and (smallest < _LITTLE or (count < this.most and size > _SAME * twin)):
            count += 1
            kept[d.family, d.tight] = size
            yield place
