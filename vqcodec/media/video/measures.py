"""How good a video is, frame by frame of the same number, whatever their times."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from vqcodec.errors import InputError
from vqcodec.media.ssim import WINDOW, ms_ssim, ms_ssim_db
from vqcodec.media.video.signal import Frame, Video
from vqcodec.media.workshop import Measure, decibels

__all__ = ["MEASURES", "psnr_of_frames", "similarity"]

# Luma counts for six of eight parts, as video codecs are compared.
_WEIGHTS = {"y": 6, "u": 1, "v": 1}
# MS-SSIM is slow, and neighbouring frames are alike.
_EVERY = 3


def psnr_of_frames(decoded: Video, original: Video) -> float:
    """PSNR of (6 Y + U + V) / 8 in dB: of the mean squared error over all frames.

    Raises: InputError: extents or numbers of frames differ.

    >>> from vqcodec.media.video.signal import Facts
    >>> from fractions import Fraction
    >>> half = np.zeros((1, 1), np.uint8)
    >>> def grey(level): return Frame(np.full((2, 2), level, np.uint8), half, half, Fraction(0))
    >>> facts = Facts(time_base=Fraction(1))
    >>> a, b = (Video([grey(n)], height=2, width=2, facts=facts) for n in (0, 51))
    >>> round(psnr_of_frames(a, b), 2)
    15.23
    """
    errors = [
        sum(weight * _error(found, wanted, name) for name, weight in _WEIGHTS.items()) / 8
        for found, wanted in _pairs(decoded, original)
    ]
    return decibels(float(np.mean(errors)) / 255**2)


def similarity(decoded: Video, original: Video) -> float:
    """MS-SSIM of luma, the mean over every third frame; NaN for sides below 11 pixels.

    Raises: as `psnr_of_frames`.
    """
    if min(original.height, original.width) < WINDOW:
        return math.nan
    pairs = list(_pairs(decoded, original))[::_EVERY]
    return float(np.mean([ms_ssim(found.y, wanted.y) for found, wanted in pairs]))


def _pairs(decoded: Video, original: Video) -> Iterator[tuple[Frame, Frame]]:
    sizes = [(video.height, video.width) for video in (decoded, original)]
    if sizes[0] != sizes[1]:
        raise InputError(f"videos of one size are compared, got {sizes[0]} and {sizes[1]}")
    frames, wanted = iter(decoded), iter(original)
    for number, frame in enumerate(wanted):
        found = next(frames, None)
        if found is None:
            raise InputError(f"the decoded video ends after {number} frames, its original does not")
        yield found, frame
    if next(frames, None) is not None:
        raise InputError("the decoded video has more frames than its original")


def _error(found: Frame, wanted: Frame, name: str) -> float:
    difference = getattr(found, name).astype(np.int32) - getattr(wanted, name)
    return float(np.mean(np.square(difference), dtype=np.float64))


MEASURES: tuple[Measure, ...] = (
    Measure(name="psnr", of=psnr_of_frames, title="PSNR (6 Y + U + V) / 8", unit="dB", low=0),
    Measure(
        name="ms-ssim",
        of=similarity,
        of_mean=ms_ssim_db,
        title="MS-SSIM of luma",
        unit="dB",
        low=0,
        high=1,
    ),
)
