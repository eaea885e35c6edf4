"""Between pictures and what a model takes and gives: where pixels become samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.picture.alpha import decode_alpha
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.hidden import fill_hidden
from vqcodec.media.picture.signal import Picture

__all__ = ["picture_of", "samples_of"]


def samples_of(picture: Picture, channels: int) -> NDArray[np.float32]:
    """The colours of a picture in [0, 1], as many as asked for: float32 (channels, H, W).

    Where alpha is 0 nobody sees them; they become what costs least, see `fill_hidden`.

    >>> samples_of(Picture(np.full((2, 3, 1), 255, np.uint8)), 3).shape
    (3, 2, 3)
    """
    planes = np.moveaxis(to_channels(fill_hidden(picture.pixels), channels), -1, 0)
    return np.ascontiguousarray(planes, np.float32) / np.float32(255)


def picture_of(
    samples: NDArray[np.float32],
    channels: int,
    *,
    alpha: bytes | None = None,
    icc: bytes | None = None,
    exif: bytes | None = None,
) -> Picture:
    """The picture of decoded samples, float32 (C, H, W), rounded to eight bits.

    Args:
        channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
        alpha: payload of the alpha chunk; without it alpha is opaque.

    Raises:
        CorruptError: the payload is not a plane of this size.
    """
    rounded = np.rint(np.clip(samples, 0, 1) * np.float32(255)).astype(np.uint8)
    pixels = np.ascontiguousarray(to_channels(np.moveaxis(rounded, 0, -1), channels))
    if alpha is not None:
        pixels[:, :, -1] = decode_alpha(alpha, *pixels.shape[:2])
    return Picture(pixels, icc=icc, exif=exif)
