"""The quality of the next group, so that a video takes so many kilobits a second."""

from __future__ import annotations

import math

__all__ = ["RateControl"]

# How much a group grows from one quality to the next, in the logarithm of its size.
_GROWTH = 0.05
# A group may take so many times its share where those before it took less, and so much less where
# they took more.
_MOST, _LEAST = 2.0, 0.5
# A group within this part of what it may take is good enough.
_NEAR = 0.06
_TRIES = 5


class RateControl:
    """Chooses qualities of groups; what one saves, the next ones may spend.

    >>> rate = RateControl(kbps=100)
    >>> rate.begin(seconds=2.0)
    25000
    >>> rate.quality, rate.is_near(50_000), rate.quality < 50
    (50.0, False, True)
    >>> rate.end(25_000)
    >>> rate.begin(seconds=2.0)
    25000
    """

    def __init__(self, *, kbps: float) -> None:
        self._bytes_per_second = kbps * 1000 / 8
        self.quality = 50.0
        self._allowed = self._spent = self._wanted = 0.0
        self._tries: list[tuple[float, float]] = []

    def begin(self, *, seconds: float) -> int:
        """Begin a group that lasts so long; gives the bytes that it may take."""
        share = self._bytes_per_second * seconds
        self._allowed += share
        left = self._allowed - self._spent
        self._wanted = min(max(left, _LEAST * share), _MOST * share)
        self._tries = []
        return round(self._wanted)

    def is_near(self, size: int) -> bool:
        """Whether what the quality gave is good enough; otherwise there is another quality."""
        off = math.log(max(size, 1) / max(self._wanted, 1))
        self._tries.append((self.quality, off))
        if abs(off) < _NEAR or len(self._tries) >= _TRIES:
            self._settle()
            return True
        before = self.quality
        self.quality = min(max(self.quality - self._step(off), 0.0), 100.0)
        return abs(self.quality - before) < 0.05

    def end(self, size: int) -> None:
        """Take what the group takes."""
        self._spent += size

    def _step(self, off: float) -> float:
        """How far to go down, from where the last two tries point if there are two."""
        if len(self._tries) > 1:
            (q0, off0), (q1, off1) = self._tries[-2:]
            if abs(q1 - q0) > 0.1 and (slope := (off1 - off0) / (q1 - q0)) > 0.01:
                return off / slope
        return off / _GROWTH

    def _settle(self) -> None:
        """Begin the next group where this one would have been right."""
        off = self._tries[-1][1]
        self.quality = min(max(self.quality - off / _GROWTH, 0.0), 100.0)
