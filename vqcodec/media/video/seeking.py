"""Which frame is shown at a time, by the times of as few groups as say it."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Callable
from fractions import Fraction
from numbers import Real

from vqcodec.errors import CorruptError, FormatError, InputError
from vqcodec.media.video.group import Group
from vqcodec.media.video.numbering import Numbering
from vqcodec.media.video.signal import MOST_TICKS, Facts

__all__ = ["Seeker"]


class Seeker:
    """Looks for frames by their times.

    Args:
        head: gives a group by its number, or raises FormatError.
        numbering, facts: of the video.
    """

    def __init__(self, head: Callable[[int], Group], numbering: Numbering, facts: Facts) -> None:
        self._head, self._facts = head, facts
        self._starts, self._counts = numbering.starts, numbering.counts

    @property
    def duration(self) -> Fraction:
        """Seconds from the beginning to the end of the last frame, see `Facts.lasts`."""
        last = self._head(len(self._counts) - 1).span(self._facts)[1]
        frames, first = sum(self._counts), 0
        if self._facts.rate is None:
            first = self._head(0).span(self._facts)[0]
            if frames > 1 and last <= first:
                raise CorruptError("the last frame of the video is not shown after the first one")
        return last * self._facts.time_base + self._facts.lasts(last - first, frames)

    def number_at(self, seconds: float | Fraction) -> int:
        """The number of the frame that is shown at a time.

        Raises: InputError: it is not within the video. FormatError: what is read is damaged.
        """
        # The scalars of NumPy are real numbers too.
        if not isinstance(seconds, Real) or not math.isfinite(seconds) or seconds < 0:
            raise InputError(f"a time is a number of seconds from 0 on, got {seconds!r}")
        when = Fraction(seconds)
        if (number := self._regular(when)) is not None:
            return number
        if when >= self.duration:
            raise InputError(f"the video ends at {float(self.duration):.2f} s, got {seconds!r} s")
        tick = math.floor(when / self._facts.time_base)
        low, high = 0, len(self._counts) - 1
        while low < high:
            middle = (low + high + 1) // 2
            begins = self._head(middle).span(self._facts)[0] <= tick
            low, high = (middle, high) if begins else (low, middle - 1)
        before = sum(shown <= tick for shown in self._head(low).ticks(self._facts))
        return sum(self._counts[:low]) + max(before - 1, 0)

    def _regular(self, when: Fraction) -> int | None:
        """The frame that the frame rate says, if its group follows that: no other one is needed."""
        base, rate = self._facts.time_base, self._facts.rate
        if rate is None:
            return None
        tick = math.floor(when / base)
        # Frame n is shown from the nearest time base to n / rate on, halves up.
        shown = math.ceil((tick + Fraction(1, 2)) * base * rate) - 1
        number = bisect(self._starts, shown) - 1
        place = shown - self._starts[number]
        if number < 0 or place >= self._counts[number] or not self._head(number).is_regular:
            return None
        if place + 1 == self._counts[number]:
            is_end = number + 1 == len(self._counts)
            if when >= self.duration if is_end else tick >= self._begin(number + 1):
                return None
        return sum(self._counts[:number]) + place

    def _begin(self, number: int) -> int:
        """When a group begins; never, of one that is damaged."""
        try:
            return self._head(number).span(self._facts)[0]
        except FormatError:
            return MOST_TICKS
