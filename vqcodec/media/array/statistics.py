"""One look at all values of an array, chunk by chunk: its range, and what stands out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.array.threads import in_threads
from vqcodec.media.array.words import numbers_of, words_of

__all__ = ["Statistics", "survey"]

MOST_DISTINCT = 65536


@dataclass
class Statistics:
    """Of the finite numbers that are not missing.

    lowest, highest: words of the extremes; count: how many. distinct: their words, rising, None for
    more than 65,536. specials: bytes of the commonest NaN, infinities and the missing value, as far
    as they are there.
    """

    dtype: np.dtype[Any]
    count: int = 0
    lowest: int = 0
    highest: int = 0
    distinct: NDArray[np.int64] | None = field(default_factory=lambda: np.zeros(0, np.int64))
    specials: tuple[bytes, ...] = ()

    def number(self, word: int) -> Any:
        """The number of a word, of the dtype."""
        return numbers_of(np.array([word], np.int64), self.dtype)[0]

    @property
    def range(self) -> float:
        """Highest less lowest number."""
        return float(self.number(self.highest)) - float(self.number(self.lowest))


def survey(
    chunks: Iterable[NDArray[Any]],
    dtype: np.dtype[Any],
    missing: Any | None,
    *,
    threads: int | None = 1,
) -> Statistics:
    """Look at the parts of all values. missing: a number of the dtype that stands for none."""
    found = Statistics(dtype)
    odd: Counter[int] = Counter()

    def look(numbers: NDArray[Any]) -> tuple[Counter[int], Statistics]:
        return _odd_and_words(numbers, missing, distinct=found.distinct is not None)

    for others, here in in_threads(look, chunks, threads):
        odd.update(others)
        if here.count:
            found.lowest = min(found.lowest, here.lowest) if found.count else here.lowest
            found.highest = max(found.highest, here.highest) if found.count else here.highest
            found.count += here.count
        found.distinct = _joined(found.distinct, here.distinct)
    most = sorted(pattern for pattern, _ in odd.most_common(4))
    found.specials = tuple(pattern.to_bytes(dtype.itemsize, "little") for pattern in most)
    return found


def _odd_and_words(
    numbers: NDArray[Any], missing: Any | None, *, distinct: bool
) -> tuple[Counter[int], Statistics]:
    """Of one chunk: how often what stands out is there, and the others; which ones if asked."""
    found, odd = Statistics(numbers.dtype), Counter[int]()
    kept = np.isfinite(numbers)
    if missing is not None:
        kept &= numbers != missing
    if not kept.all():
        bits = np.dtype(f"u{numbers.dtype.itemsize}")
        patterns, counts = np.unique(numbers[~kept].view(bits), return_counts=True)
        odd.update(dict(zip(patterns.tolist(), counts.tolist(), strict=True)))
        numbers = numbers[kept]
    words = words_of(numbers).reshape(-1)
    found.count = words.size
    if words.size:
        found.lowest, found.highest = int(words.min()), int(words.max())
    found.distinct = _distinct(words) if distinct else None
    return odd, found


def _distinct(words: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Of many different ones the first say so already."""
    first = np.unique(words[: 2 * MOST_DISTINCT])
    if len(first) > MOST_DISTINCT:
        return None
    return _joined(first, np.unique(words[2 * MOST_DISTINCT :]))


def _joined(
    some: NDArray[np.int64] | None, others: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    if some is None or others is None:
        return None
    both = np.union1d(some, others)
    return both if len(both) <= MOST_DISTINCT else None
