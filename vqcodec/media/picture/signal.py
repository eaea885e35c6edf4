"""A picture in memory: samples of eight or sixteen bits, and the facts that travel with them."""

from dataclasses import dataclass
from functools import cached_property
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.grid import Region
from vqcodec.media.picture.channels import alpha_of, has_alpha
from vqcodec.media.picture.data_range import EIGHT_BITS, DataRange

__all__ = ["Picture"]

Pixels = NDArray[Any]

_BAND_ROWS = 256


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels the right way up, with their colour profile and EXIF data.

    pixels: uint8 or uint16 (H, W, C), C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; alpha is not
    premultiplied; copied if not in C order, or not writable, which torch wants; a memory map is
    taken as it is. icc: an ICC profile or None.
    exif: EXIF data from its TIFF header on, with orientation 1, or None.
    Raises: InputError for another dtype or shape, or an empty picture.

    >>> Picture(np.zeros((480, 640, 3), np.uint8)).extent
    (480, 640)
    """

    pixels: Pixels
    icc: bytes | None = None
    exif: bytes | None = None

    def __post_init__(self) -> None:
        shape, dtype = self.pixels.shape, self.pixels.dtype
        if dtype not in (np.uint8, np.uint16) or len(shape) != 3 or not 1 <= shape[2] <= 4:
            raise InputError(f"pixels must be uint8 or uint16 (H, W, 1 to 4), got {dtype} {shape}")
        if 0 in shape:
            raise InputError(f"the picture is empty: {shape[1]} x {shape[0]} pixels")
        pixels = np.require(self.pixels, requirements="C")
        if not _is_mapped(pixels):
            pixels = np.require(pixels, requirements="W")
        object.__setattr__(self, "pixels", pixels)

    @property
    def extent(self) -> tuple[int, int]:
        """Rows of pixels, and pixels in a row."""
        return self.height, self.width

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Pixels in a row."""
        return int(self.pixels.shape[1])

    @property
    def channels(self) -> int:
        """Samples of a pixel: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA."""
        return int(self.pixels.shape[2])

    @property
    def bits(self) -> int:
        """Bits of a sample, 8 or 16."""
        return 8 * self.pixels.itemsize

    @cached_property
    def data_range(self) -> DataRange:
        """The values that samples may have; of sixteen bits, those that visible colours do have."""
        if self.bits == EIGHT_BITS.bits:
            return EIGHT_BITS
        lowest, highest = 2**16, -1
        for top in range(0, self.height, _BAND_ROWS):
            colours = _visible(self.pixels[top : top + _BAND_ROWS])
            if colours.size:
                lowest = min(lowest, int(colours.min()))
                highest = max(highest, int(colours.max()))
        return DataRange(lowest, highest) if highest >= 0 else DataRange(0, 0)

    def window(self, region: Region) -> Pixels:
        """The pixels of a region, rows and columns."""
        return self.pixels[region]

    def in_eight_bits(self) -> "Picture":
        """This picture, or the same with its data range mapped to 0 to 255.

        >>> Picture(np.array([[[100], [4100]]], np.uint16)).in_eight_bits().pixels.ravel()
        array([  0, 255], dtype=uint8)
        """
        shown = self.data_range
        if shown.bits == EIGHT_BITS.bits:
            return self
        colours = np.clip(self.pixels, shown.lowest, shown.highest).astype(np.float32)
        eight = np.rint((colours - shown.lowest) * np.float32(255 / shown.width)).astype(np.uint8)
        if has_alpha(self.channels):
            eight[:, :, -1] = alpha_of(self.pixels)
        return Picture(eight, icc=self.icc, exif=self.exif)


def _visible(pixels: Pixels) -> Any:
    """The colours of pixels (H, W, C) but for those under alpha 0."""
    if not has_alpha(pixels.shape[2]):
        return pixels
    return pixels[:, :, :-1][alpha_of(pixels) > 0]


def _is_mapped(array: Any) -> bool:
    """Whether an array is a view of a file that is mapped into memory."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap)
