"""Between pictures and what a model takes and gives: where pixels become samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from vqcodec.grid import Region, inside, lengths
from vqcodec.media.base import Part
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.hidden import fill_hidden

__all__ = ["bands_of", "pixels_of", "samples_of"]


def samples_of(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.float32]:
    """The colours of pixels (H, W, 1 to 4) in [0, 1], as many as asked for: float32 (C, H, W).

    Where alpha is 0 nobody sees them; they become what costs least, see `fill_hidden`.

    >>> samples_of(np.full((2, 3, 1), 255, np.uint8), 3).shape
    (3, 2, 3)
    """
    planes = np.moveaxis(to_channels(fill_hidden(pixels), channels), -1, 0)
    return np.ascontiguousarray(planes, np.float32) / np.float32(255)


def pixels_of(parts: Iterable[Part], channels: int, region: Region) -> NDArray[np.uint8]:
    """The pixels of decoded samples, rounded to eight bits: uint8 (H, W, channels), alpha opaque.

    channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. region: what the parts cover.

    >>> grey = np.full((1, 2, 3), 0.5, np.float32)
    >>> pixels_of([((slice(0, 2), slice(0, 3)), grey)], 2, (slice(0, 2), slice(0, 3)))[0, 0]
    array([128, 255], dtype=uint8)
    """
    pixels = np.empty((*lengths(region), channels), np.uint8)
    for place, samples in parts:
        pixels[inside(place, region)] = _rounded(samples, channels)
    return pixels


def bands_of(parts: Iterable[Part], channels: int, region: Region) -> Iterator[NDArray[np.uint8]]:
    """The same pixels from the top, rows (n, W, channels) as soon as all their parts are there.

    parts: in the order of regions.
    """
    _, columns = region
    band: NDArray[np.uint8] | None = None
    for place, samples in parts:
        if band is None:
            band = np.empty((*lengths((place[0], columns)), channels), np.uint8)
        band[:, *inside(place[1:], region[1:])] = _rounded(samples, channels)
        if place[1].stop == columns.stop:
            yield band
            band = None


def _rounded(samples: NDArray[np.float32], channels: int) -> NDArray[np.uint8]:
    """Decoded samples (C, H, W) as pixels (H, W, channels)."""
    rounded = np.rint(np.clip(samples, 0, 1) * np.float32(255)).astype(np.uint8)
    return to_channels(np.moveaxis(rounded, 0, -1), channels)
