"""The quality of the next group, so that a video takes so many kilobits a second."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["RateControl"]

# How much a group grows from one quality to the next, in the logarithm of its size.
_GROWTH = 0.05
# A group may take so many times its share where those before it took less, and so much less where
# they took more.
_MOST, _LEAST = 2.0, 0.5
# A group within this part of what it may take is good enough; the last one, for which no other
# makes up, takes no more than that and not much less.
_NEAR, _LAST_NEAR = 0.06, 0.10
_TRIES, _LAST_TRIES = 5, 8


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
        self._last = False
        self._tries: list[tuple[float, float]] = []

    def begin(self, *, seconds: float, last: bool = False) -> int:
        """Begin a group that lasts so long; gives the bytes that it may take.

        last: it is the last one, in which the whole has to come out right.
        """
        share = self._bytes_per_second * seconds
        self._allowed += share
        left = self._allowed - self._spent
        self._wanted = min(max(left, (0 if last else _LEAST) * share), _MOST * share)
        self._tries, self._last = [], last
        return round(self._wanted)

    def is_near(self, size: int) -> bool:
        """Whether what the quality gave is good enough; otherwise there is another quality."""
        off = math.log(max(size, 1) / max(self._wanted, 1))
        low, high = (-_LAST_NEAR, 0.0) if self._last else (-_NEAR, _NEAR)
        # What the last one aims at lies in the middle of what is good enough.
        self._tries.append((self.quality, off - (low + high) / 2))
        if low <= off <= high or len(self._tries) >= (_LAST_TRIES if self._last else _TRIES):
            self._settle()
            return True
        before = self.quality
        self.quality = min(max(self.quality - self._step(self._tries[-1][1]), 0.0), 100.0)
        return abs(self.quality - before) < 0.05

    def best(self, payloads: Sequence[bytes]) -> bytes:
        """Of what the qualities gave, what is nearest; of the last group the largest that fits."""
        fits = [payload for payload in payloads if len(payload) <= self._wanted]
        if self._last:
            return max(fits, key=len) if fits else min(payloads, key=len)
        return min(payloads, key=lambda payload: abs(len(payload) - self._wanted))

    def end(self, size: int) -> None:
        """Take what the group takes, or what stands around all of them."""
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
