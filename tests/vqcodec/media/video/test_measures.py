"""PSNR and MS-SSIM of videos against values written anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
from clips import make_video
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.ssim import ms_ssim
from vqcodec.media.video.measures import MEASURES, psnr_of_frames, similarity
from vqcodec.media.video.signal import Frame, Video


def noisy(video: Video, strength: int) -> Video:
    draw = np.random.default_rng(strength)

    def noise(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        moved = plane + draw.integers(-strength, strength + 1, plane.shape)
        return moved.clip(0, 255).astype(np.uint8)

    frames = [Frame(noise(f.y), noise(f.u), noise(f.v), f.time) for f in video]
    return Video(frames, height=video.height, width=video.width, facts=video.facts)


def test_psnr_weighs_luma_six_times() -> None:
    original = make_video(3, 33, 47)
    decoded = noisy(original, 9)
    error = 0.0
    for found, wanted in zip(decoded, original, strict=True):
        for name, weight in (("y", 6), ("u", 1), ("v", 1)):
            a, b = (getattr(frame, name).astype(float) for frame in (found, wanted))
            error += weight / 8 * ((a - b) ** 2).mean() / 3
    assert psnr_of_frames(decoded, original) == pytest.approx(10 * math.log10(255**2 / error))
    assert psnr_of_frames(original, original) == math.inf


def test_similarity_is_of_every_third_frame() -> None:
    original = make_video(5, 33, 47)
    decoded = noisy(original, 9)
    pairs = [(a.y, b.y) for a, b in zip(decoded, original, strict=True)]
    wanted = (ms_ssim(*pairs[0]) + ms_ssim(*pairs[3])) / 2
    assert similarity(decoded, original) == pytest.approx(wanted)
    assert math.isnan(similarity(make_video(2, 10, 47), make_video(2, 10, 47)))
    assert MEASURES[1].of_mean(0.99) == pytest.approx(20)


def test_other_videos_are_not_compared() -> None:
    with pytest.raises(InputError, match="ends after 2 frames"):
        psnr_of_frames(make_video(2), make_video(3))
    with pytest.raises(InputError, match="more frames"):
        psnr_of_frames(make_video(3), make_video(2))
    with pytest.raises(InputError, match="videos of one size are compared"):
        psnr_of_frames(make_video(2, 8, 8), make_video(2, 8, 9))
