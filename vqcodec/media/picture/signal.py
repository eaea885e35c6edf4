"""A picture in memory: eight-bit samples and the metadata that travels with them."""

from dataclasses import dataclass
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.grid import Region

__all__ = ["Picture"]


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels the right way up, with their colour profile and EXIF data.

    pixels: uint8 (H, W, C), C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; alpha is not
    premultiplied; copied if not in C order, or not writable, which torch wants; a memory map is
    taken as it is. icc: an ICC profile or None.
    exif: EXIF data from its TIFF header on, with orientation 1, or None.
    Raises: InputError for another dtype or shape, or an empty picture.

    >>> Picture(np.zeros((480, 640, 3), np.uint8)).extent
    (480, 640)
    """

    pixels: NDArray[np.uint8]
    icc: bytes | None = None
    exif: bytes | None = None

    def __post_init__(self) -> None:
        shape, dtype = self.pixels.shape, self.pixels.dtype
        if dtype != np.uint8 or len(shape) != 3 or not 1 <= shape[2] <= 4:
            raise InputError(f"pixels must be uint8 (H, W, 1 to 4), got {dtype} {shape}")
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

    def window(self, region: Region) -> NDArray[np.uint8]:
        """The pixels of a region, rows and columns."""
        return self.pixels[region]


def _is_mapped(array: Any) -> bool:
    """Whether an array is a view of a file that is mapped into memory."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap)
