"""Videos of arrays, lists and iterators."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from clips import make_video

from vqcodec.errors import InputError
from vqcodec.media.video.arrays import array_of, video_from
from vqcodec.media.video.colour import from_rgb
from vqcodec.media.video.signal import Video

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 5, 7, 3), np.uint8)


def lumas(video: Video) -> list[bytes]:
    return [frame.y.tobytes() for frame in video]


@pytest.mark.parametrize(
    "thing", [PIXELS, torch.from_numpy(PIXELS), list(PIXELS)], ids=["array", "tensor", "list"]
)
def test_pixels_are_a_video(thing: Any) -> None:
    video = video_from((thing, 29.97))
    assert (video.extent, video.facts.rate) == ((4, 5, 7), Fraction(2997, 100))
    wanted = [
        from_rgb(np.ascontiguousarray(np.moveaxis(p, -1, 0)), video.facts, Fraction(0)).y.tobytes()
        for p in PIXELS
    ]
    assert lumas(video) == lumas(video) == wanted
    assert [frame.time for frame in video][3] == Fraction(300, 2997)
    assert video.facts.matrix == 6


def test_an_iterator_is_drawn_once() -> None:
    video = video_from(iter(PIXELS))
    assert (video.count, video.drawn_once, video.facts.rate) == (None, True, Fraction(25))
    assert lumas(video) == lumas(video_from(PIXELS))


def test_frames_keep_their_times() -> None:
    steady = list(make_video(4))
    assert video_from((steady, 10)).facts.rate == 10
    jumping = [steady[0], steady[1], steady[3]]
    video = video_from((jumping, 10))
    assert video.facts.rate is None
    assert [frame.time for frame in video] == [0, Fraction(1, 10), Fraction(3, 10)]
    assert video_from(video) is video


def test_a_video_is_an_array() -> None:
    grey = np.repeat(PIXELS[..., :1], 3, axis=3)
    assert np.abs(array_of(video_from(grey)).astype(int) - grey).max() <= 1


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (np.zeros((4, 5, 7), np.uint8), "frames must be uint8 (T, H, W, 3), got uint8 (4, 5, 7)"),
        (np.zeros((4, 5, 7, 3)), "got float64 (4, 5, 7, 3)"),
        (np.zeros((0, 5, 7, 3), np.uint8), "got uint8 (0, 5, 7, 3)"),
        ([], "the video is empty"),
        ("clip.mkv", "a video is made of frames, got str"),
        (7, "got int"),
        ([np.zeros((5, 7), np.uint8)], "frame 0 must be uint8 (H, W, 3) or a Frame"),
        ((PIXELS, 0), "frames per second must be above 0, got 0"),
    ],
)
def test_other_things_are_refused(thing: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        video_from(thing)


def test_a_frame_that_does_not_fit_is_refused() -> None:
    video = video_from([PIXELS[0], PIXELS[1][:4]])
    with pytest.raises(InputError, match="frame 1 is 7 x 4 pixels, the first one 7 x 5"):
        list(video)
