"""One look at all values of an array, chunk by chunk: its range, and what stands out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def survey(chunks: Iterable[NDArray[Any]], dtype: np.dtype[Any], missing: Any | None) -> Statistics:
    """Look at the parts of all values. missing: a number of the dtype that stands for none."""
    found = Statistics(dtype)
    odd: Counter[int] = Counter()
    bits = np.dtype(f"u{dtype.itemsize}")
    for numbers in chunks:
        kept = np.ones(numbers.shape, np.bool_)
        if missing is not None:
            kept &= numbers != missing
        if dtype.kind == "f":
            kept &= np.isfinite(numbers)
        if not kept.all():
            patterns, counts = np.unique(numbers[~kept].view(bits), return_counts=True)
            odd.update(dict(zip(patterns.tolist(), counts.tolist(), strict=True)))
        words = words_of(numbers[kept])
        if words.size:
            lowest, highest = int(words.min()), int(words.max())
            found.lowest = min(found.lowest, lowest) if found.count else lowest
            found.highest = max(found.highest, highest) if found.count else highest
            found.count += words.size
        if found.distinct is not None:
            found.distinct = np.union1d(found.distinct, words)
            if len(found.distinct) > MOST_DISTINCT:
                found.distinct = None
    most = sorted(pattern for pattern, _ in odd.most_common(4))
    found.specials = tuple(pattern.to_bytes(dtype.itemsize, "little") for pattern in most)
    return found
