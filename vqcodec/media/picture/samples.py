"""Between pictures and what a model takes and gives: where pixels become samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.grid import Region, inside, lengths
from vqcodec.media.base import Part
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.data_range import EIGHT_BITS, DataRange
from vqcodec.media.picture.hidden import fill_hidden

__all__ = ["bands_of", "pixels_of", "samples_of"]


def samples_of(
    pixels: NDArray[Any], channels: int, data_range: DataRange = EIGHT_BITS
) -> NDArray[np.float32]:
    """The colours of pixels (H, W, 1 to 4) in [0, 1], as many as asked for: float32 (C, H, W).

    Where alpha is 0 nobody sees them; they become what costs least, see `fill_hidden`.

    data_range: of the whole picture.

    >>> samples_of(np.full((2, 3, 1), 255, np.uint8), 3).shape
    (3, 2, 3)
    """
    filled = to_channels(fill_hidden(pixels), channels)
    planes = np.ascontiguousarray(np.moveaxis(filled, -1, 0), np.float32)
    if data_range.lowest > 0:
        # Where nothing is visible, what is filled in is 0.
        planes = np.maximum(planes - np.float32(data_range.lowest), 0)
    return planes / np.float32(data_range.width)


def pixels_of(
    parts: Iterable[Part], channels: int, region: Region, data_range: DataRange = EIGHT_BITS
) -> NDArray[Any]:
    """The pixels of decoded samples, rounded: uint8 or uint16 (H, W, channels), alpha opaque.

    channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. region: what the parts cover. data_range: what
    samples from 0 to 1 become.

    >>> grey = np.full((1, 2, 3), 0.5, np.float32)
    >>> pixels_of([((slice(0, 2), slice(0, 3)), grey)], 2, (slice(0, 2), slice(0, 3)))[0, 0]
    array([128, 255], dtype=uint8)
    """
    pixels = np.empty((*lengths(region), channels), _dtype_of(data_range))
    for place, samples in parts:
        pixels[inside(place, region)] = _rounded(samples, channels, data_range)
    return pixels


def bands_of(
    parts: Iterable[Part], channels: int, region: Region, data_range: DataRange = EIGHT_BITS
) -> Iterator[NDArray[Any]]:
    """The same pixels from the top, rows (n, W, channels) as soon as all their parts are there.

    parts: in the order of regions.
    """
    _, columns = region
    band: NDArray[Any] | None = None
    for place, samples in parts:
        if band is None:
            band = np.empty((*lengths((place[0], columns)), channels), _dtype_of(data_range))
        band[:, *inside(place[1:], region[1:])] = _rounded(samples, channels, data_range)
        if place[1].stop == columns.stop:
            yield band
            band = None


def _rounded(samples: NDArray[np.float32], channels: int, data_range: DataRange) -> NDArray[Any]:
    """Decoded samples (C, H, W) as pixels (H, W, channels)."""
    within = np.clip(samples, 0, 1) * np.float32(data_range.highest - data_range.lowest)
    rounded = np.rint(within).astype(_dtype_of(data_range))
    if data_range.lowest:
        rounded += np.uint16(data_range.lowest)
    return to_channels(np.moveaxis(rounded, 0, -1), channels)


def _dtype_of(data_range: DataRange) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if data_range.bits == EIGHT_BITS.bits else np.uint16
