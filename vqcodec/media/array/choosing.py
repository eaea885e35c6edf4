"""How an array is coded: the candidate that codes samples of it in the fewest bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

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
    """A sample of so many values, and who is tried on the next one.

    Those of at most `times` the bytes of the best and `more`, as few bytes say little; of them
    the first `most`.
    """

    values: int
    times: float = 1.0
    more: int = 0
    most: int = 1


_ROUNDS = (
    _Round(1 << 13, times=1.05, more=40, most=3),
    _Round(1 << 16, more=60, most=2),
    _Round(1 << 18),
)
# So few bytes rule nobody out but by the above.
_LITTLE = 150
# Of candidates of a family that differ by less the first one does.
_SAME = 1.005


def choose(
    sample: Callable[[int], NDArray[Any]],
    blank: Description,
    found: Statistics,
    *,
    threads: int | None,
) -> tuple[Coding, Coded | None]:
    """The candidate that codes samples of the array in the fewest bytes.

    sample: parts of about so many values, as of a chunk. blank: a description of which map and
    family are open. Returns also what the array is coded as, where a sample was all of it.
    """
    if not found.count:
        return plain(blank), None
    total = math.prod(blank.shape) * (2 if blank.is_complex else 1)
    values = sample(_ROUNDS[0].values)
    live = [coding for made in candidates(blank, found) for coding in families(values, made)]
    for this in _ROUNDS:
        if this.values > _ROUNDS[0].values:
            larger = sample(this.values)
            if larger.size == values.size:
                break
            values, live = larger, [refitted(larger, coding) for coding in live]
        tried = list(zip(live, in_threads(partial(_code, values), live, threads), strict=True))
        sized = [
            (len(coded.payload) + values.size / total * len(table_bytes(coding)), place)
            for place, (coding, coded) in enumerate(tried)
        ]
        sized.sort()
        best, coded = tried[sized[0][1]]
        if values.size == total:
            return best, coded
        live = [tried[place][0] for place in _nearest(sized, live, this)]
        if len(live) == 1:
            break
    return refitted(sample(_ROUNDS[-1].values), best), None


def _code(values: NDArray[Any], coding: Coding) -> Coded:
    return encode_chunk(values, coding)


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
