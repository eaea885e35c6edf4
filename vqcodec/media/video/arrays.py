"""Arrays, lists and iterators as videos, and a video as an array."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.video.colour import from_rgb, matrix_of, to_rgb
from vqcodec.media.video.signal import Facts, Frame, Video

__all__ = ["array_of", "video_from"]

_USUAL_RATE = Fraction(25)


def video_from(thing: Any) -> Video:
    """The video in a `Video`, in frames, or in a pair of frames and how many of them a second has.

    thing: frames are an array or tensor uint8 (T, H, W, 3) of RGB, or a list or an iterator of such
    arrays (H, W, 3) or of `Frame`s, which have times of their own; 25 a second if nothing is said.
    Raises: InputError for anything else, now or while frames are drawn.

    >>> video = video_from((np.zeros((3, 5, 7, 3), np.uint8), 10))
    >>> video.extent, video.facts.rate
    ((3, 5, 7), Fraction(10, 1))
    """
    if isinstance(thing, Video):
        return thing
    rate = _USUAL_RATE
    if (
        isinstance(thing, tuple)
        and len(thing) == 2
        and isinstance(thing[1], int | float | Fraction)
    ):
        thing, rate = thing[0], _rate(thing[1])
    if hasattr(thing, "__array__"):
        pixels = np.asarray(thing)
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3 or not pixels.size:
            raise InputError(
                f"frames must be uint8 (T, H, W, 3), got {pixels.dtype} {pixels.shape}"
            )
        thing = list(pixels)
    if isinstance(thing, str | bytes) or not isinstance(thing, Iterable):
        raise InputError(f"a video is made of frames, got {type(thing).__name__}")
    count = len(thing) if isinstance(thing, Sequence) else None
    return _drawn(thing, rate, count)


def array_of(video: Video) -> NDArray[np.uint8]:
    """All frames of a video as RGB, uint8 (T, H, W, 3).

    >>> array_of(video_from(np.full((2, 4, 4, 3), 255, np.uint8))).min()
    np.uint8(255)
    """
    frames = [np.moveaxis(to_rgb(frame, video.facts), 0, -1) for frame in video]
    return np.stack(frames)


def _rate(rate: float | Fraction) -> Fraction:
    if not 0 < rate < 2**31:
        raise InputError(f"frames per second must be above 0, got {rate}")
    # The digits that are meant, 29.97, not those of the nearest float.
    return Fraction(rate).limit_denominator(1001)


def _drawn(thing: Iterable[Any], rate: Fraction, count: int | None) -> Video:
    """The video of frames, the first of which says what all are."""
    once = isinstance(thing, Iterator)
    source = iter(thing)
    first = next(source, None)
    if first is None:
        raise InputError("the video is empty: it has no frame")
    if isinstance(first, Frame):
        facts, (height, width) = _facts_of_times(thing, first, rate), first.extent
    else:
        height, width = _pixels(first, 0).shape[1:]
        matrix = matrix_of(Facts(time_base=1 / rate), height, width)
        facts = Facts(time_base=1 / rate, rate=rate, matrix=matrix)
    frames = itertools.chain([first], source) if once else _Again(thing, facts)
    return Video(
        _frames(frames, facts) if once else frames,
        height=height,
        width=width,
        facts=facts,
        count=count,
    )


def _facts_of_times(thing: Iterable[Any], first: Frame, rate: Fraction) -> Facts:
    """A time base that fits all frames of a list; of an iterator that of its rate."""
    times = [frame.time for frame in thing] if isinstance(thing, Sequence) else [first.time]
    if all(time == number / rate for number, time in enumerate(times)):
        return Facts(time_base=1 / rate, rate=rate)
    base = Fraction(1, int(np.lcm.reduce([time.denominator for time in times])))
    return Facts(time_base=base)


class _Again:
    """Frames that begin anew each time."""

    def __init__(self, things: Iterable[Any], facts: Facts) -> None:
        self._things, self._facts = things, facts

    def __iter__(self) -> Iterator[Frame]:
        return _frames(self._things, self._facts)


def _frames(things: Iterable[Any], facts: Facts) -> Iterator[Frame]:
    for number, thing in enumerate(things):
        if isinstance(thing, Frame):
            yield thing
        else:
            assert facts.rate is not None
            yield from_rgb(_pixels(thing, number), facts, number / facts.rate)


def _pixels(thing: Any, number: int) -> NDArray[np.uint8]:
    """RGB of a frame as uint8 (3, H, W)."""
    pixels = np.asarray(thing)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise InputError(
            f"frame {number} must be uint8 (H, W, 3) or a Frame, got {pixels.dtype} {pixels.shape}"
        )
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
