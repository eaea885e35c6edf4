"""A video draws frames and looks at what comes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pytest

from vqcodec.errors import InputError
from vqcodec.media.video.signal import Facts, Frame, Video

FACTS = Facts(time_base=Fraction(1, 10))


def frame(ticks: int, height: int = 3, width: int = 5) -> Frame:
    half = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
    return Frame(np.zeros((height, width), np.uint8), half, half, Fraction(ticks, 10))


def video(frames: Iterable[Frame], count: int | None = None) -> Video:
    return Video(frames, height=3, width=5, facts=FACTS, count=count)


def test_frames_come_as_they_are_drawn() -> None:
    drawn = []
    source = (drawn.append(n) or frame(n) for n in range(9))  # type: ignore[func-returns-value]
    frames = iter(video(source))
    next(frames)
    next(frames)
    assert drawn == [0, 1]
    assert video(source).drawn_once
    assert not video([frame(0)]).drawn_once


@pytest.mark.parametrize(
    ("frames", "count", "message"),
    [
        ([frame(0), frame(1, 4, 5)], None, "frame 1 is 5 x 4 pixels, the first one 5 x 3"),
        ([frame(3), frame(3)], None, "frame 1 is shown at 0.300000 s, not after the one before"),
        ([frame(0), frame(1)], 1, "there are more frames than 1"),
        ([frame(0), frame(1)], 3, "the video ends after 2 of 3 frames"),
        ([], None, "the video is empty: it has no frame"),
    ],
)
def test_frames_that_do_not_fit_are_refused(
    frames: list[Frame], count: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        list(video(frames, count))


def test_an_unknown_length_is_no_number() -> None:
    with pytest.raises(InputError, match="known at its end"):
        _ = video([frame(0)]).extent
    assert video([frame(0)], 1).extent == (1, 3, 5)


def test_planes_are_what_they_should_be() -> None:
    luma, half = np.zeros((3, 5), np.uint8), np.zeros((2, 3), np.uint8)
    with pytest.raises(InputError, match=re.escape("must be (2, 3), got (2, 3) and (3, 2)")):
        Frame(luma, half, half.T, Fraction(0))
    with pytest.raises(InputError, match="uint8 of two axes"):
        Frame(luma.astype(np.int8), half, half, Fraction(0))
    with pytest.raises(InputError, match="got -1/25"):
        Frame(luma, half, half, Fraction(-1, 25))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rate": Fraction(0)}, "frame rate must be"),
        ({"time_base": Fraction(1, 2**32)}, "time base must be a fraction of 32-bit numbers"),
        ({"aspect": Fraction(-1)}, "pixel aspect"),
        ({"rotation": 45}, "rotation must be 0, 90, 180 or 270 degrees, got 45"),
        ({"matrix": 256}, "matrix is a code point"),
        ({"siting": 6}, "siting is a number below 6"),
    ],
)
def test_facts_that_no_video_has_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Facts(**{"time_base": Fraction(1, 10), **wrong})  # type: ignore[arg-type]


def test_times_are_whole_multiples_of_the_time_base() -> None:
    with pytest.raises(InputError, match="time 1/25 is no whole multiple of the time base 1/10"):
        FACTS.ticks(Fraction(1, 25))
