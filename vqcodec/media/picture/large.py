"""Large pictures go to a file by rows, as they are decoded: which ones, and how."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO

from vqcodec.bitstream import Limits, Stream
from vqcodec.grid import Region, lengths
from vqcodec.media.base import Part
from vqcodec.media.picture.chunks import ALPHA, EXIF, ICC, unpack_fact
from vqcodec.media.picture.png_rows import write_png
from vqcodec.media.picture.samples import bands_of
from vqcodec.media.picture.tiff import write_tiff

__all__ = ["is_large", "writer_by_rows"]

# Pillow takes 7 bytes for a pixel.
_LARGE_PIXELS = 2**25

_WRITERS = {"png": write_png, "tiff": write_tiff}


def is_large(extent: Sequence[int]) -> bool:
    """Whether a picture has more than 2**25 pixels, and is read and written by rows.

    >>> is_large((6000, 8000)), is_large((3000, 4000))
    (True, False)
    """
    return math.prod(extent) > _LARGE_PIXELS


def writer_by_rows(
    stream: Stream, region: Region, format: str
) -> Callable[[Iterable[Part], BinaryIO], None] | None:
    """What writes the parts of a region of a stream to a file; None where it is to be held whole.

    That is a picture of at most 2**25 pixels, one with alpha, and one that goes into another format
    than PNG or TIFF.
    Raises: CorruptError, LimitError as `unpack_fact`.
    """
    write, extent, channels = _WRITERS.get(format), lengths(region), stream.header.channels
    if write is None or not is_large(extent) or stream.payload(ALPHA) is not None:
        return None
    icc, exif = (unpack_fact(stream, kind, Limits()) for kind in (ICC, EXIF))

    def write_parts(parts: Iterable[Part], file: BinaryIO) -> None:
        bands = bands_of(parts, channels, region)
        write(file, bands, extent=extent, channels=channels, icc=icc, exif=exif)

    return write_parts
