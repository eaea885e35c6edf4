"""Finding the quality that meets a number of bytes or of decibels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from vqcodec.choices import check_real
from vqcodec.errors import InputError

__all__ = ["fit_psnr", "fit_size"]

T = TypeVar("T")

# How much a stream grows from one quality to the next, in the logarithm of its size, and its PSNR,
# in dB: what photographs do, roughly. It only decides where the second try goes.
_GROWTH = 0.035
_GAIN = 0.12
# Streams at most so much smaller than wanted, and PSNR at most so many dB higher, are good enough.
_SIZE_TOLERANCE = 0.005
_PSNR_TOLERANCE = 0.02
_TRIES = 14


def fit_size(
    encode: Callable[[float], bytes], target: int, *, near: float = 50.0
) -> tuple[float, bytes]:
    """Find the highest quality whose stream is not larger than `target` bytes.

    Stops when the stream is within 0.5 % of the target, or after 14 tries.

    Args:
        near: the quality that is tried first.

    Returns:
        the quality and its stream.

    Raises:
        InputError: even quality 0 takes more, or the target is no number.
    """
    check_real("size", target, "a number of bytes")
    wanted = math.log(max(target, 1) * (1 - _SIZE_TOLERANCE / 2))
    crossing = _Crossing(wanted, start=near, slope=_GROWTH)
    best = (0.0, b"")
    for _ in range(_TRIES):
        stream = encode(crossing.quality)
        if len(best[1]) < len(stream) <= target:
            best = (crossing.quality, stream)
        if len(best[1]) >= target * (1 - _SIZE_TOLERANCE) or not crossing.add(
            math.log(len(stream))
        ):
            break
    if best[1]:
        return best
    smallest = encode(0.0)
    if len(smallest) > target:
        raise InputError(f"{target} bytes are too few: the smallest stream takes {len(smallest)}")
    return 0.0, smallest


def fit_psnr(measure: Callable[[float], tuple[float, T]], target: float) -> tuple[float, T]:
    """Find the lowest quality at which a measure that grows with quality reaches a target.

    Stops when it is reached with at most 0.02 dB to spare, or after 14 tries.

    Args:
        measure: gives the measure at a quality, and what it was taken of.

    Returns:
        the quality, and what the measure was taken of there.

    Raises:
        InputError: quality 100 does not reach it, or it is no number.
    """
    check_real("psnr", target, "a number of decibels")
    crossing = _Crossing(target + _PSNR_TOLERANCE / 2, start=50.0, slope=_GAIN)
    best: tuple[float, T] | None = None
    for _ in range(_TRIES):
        found, subject = measure(crossing.quality)
        if found >= target and (best is None or crossing.quality < best[0]):
            best = crossing.quality, subject
        if 0 <= found - target <= _PSNR_TOLERANCE or not crossing.add(found):
            break
    if best is not None:
        return best
    highest, subject = measure(100.0)
    if highest < target:
        raise InputError(f"{target} dB cannot be reached: quality 100 gives {highest:.2f} dB")
    return 100.0, subject


class _Crossing:
    """Closes in on the quality at which something that grows with it crosses a value.

    Attributes:
        quality: what to try next.
    """

    def __init__(self, wanted: float, *, start: float, slope: float) -> None:
        self.quality = start
        self._wanted, self._slope = wanted, slope
        self._below: tuple[float, float] | None = None
        self._above: tuple[float, float] | None = None
        self._stride = 0.25
        self._tries = 0

    def add(self, value: float) -> bool:
        """Take what was found at `quality` and choose the next one; False if there is none."""
        self._tries += 1
        if value <= self._wanted:
            self._below = (self.quality, value)
        else:
            self._above = (self.quality, value)
        if self._below is None or self._above is None:
            return self._step(value)
        (low, least), (high, most) = self._below, self._above
        share = (self._wanted - least) / (most - least)
        if self._tries % 4 == 0:
            # Straight lines alone can creep up on a bend from one side.
            share = 0.5
        self.quality = low + min(0.95, max(0.05, share)) * (high - low)
        return True

    def _step(self, value: float) -> bool:
        """Go on in the only direction left, by what the slope says and ever further."""
        step = max(self._stride, abs(self._wanted - value) / self._slope)
        self._stride = 2 * step
        before = self.quality
        up = self._above is None
        self.quality = min(100.0, before + step) if up else max(0.0, before - step)
        return self.quality != before
