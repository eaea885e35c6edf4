"""Large pictures go to a file by rows, as they are decoded: which ones, and how."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO

from vqcodec.bitstream import Limits, Stream, inflated_chunk
from vqcodec.grid import Region, lengths
from vqcodec.media.base import Part
from vqcodec.media.picture.chunks import ALPHA, EXIF, ICC
from vqcodec.media.picture.data_range import range_of
from vqcodec.media.picture.samples import bands_of
from vqcodec.media.picture.writer import OWN_WRITERS, check_format

__all__ = ["is_large", "writer_by_rows"]

# Pillow takes 7 bytes for a pixel.
_LARGE_PIXELS = 2**25


def is_large(extent: Sequence[int]) -> bool:
    """Whether a picture has more than 2**25 pixels, and is read and written by rows.

    >>> is_large((6000, 8000)), is_large((3000, 4000))
    (True, False)
    """
    return math.prod(extent) > _LARGE_PIXELS


def writer_by_rows(
    stream: Stream, region: Region, format: str, bits: int | None
) -> Callable[[Iterable[Part], BinaryIO], None] | None:
    """What writes the parts of a region of a stream to a file; None where it is to be held whole.

    That is a picture of at most 2**25 pixels, one with alpha, and one that goes into another format
    than PNG or TIFF.
    Raises: InputError as `check_format`; CorruptError, LimitError as `inflated_chunk`.
    """
    extent, channels, data_range = lengths(region), stream.header.channels, range_of(stream, bits)
    check_format(format, channels=channels, bits=data_range.bits)
    write = OWN_WRITERS.get(format)
    if write is None or not is_large(extent) or stream.payload(ALPHA) is not None:
        return None
    icc, exif = (inflated_chunk(stream, kind, Limits()) for kind in (ICC, EXIF))

    def write_parts(parts: Iterable[Part], file: BinaryIO) -> None:
        write(
            file,
            bands_of(parts, channels, region, data_range),
            extent=extent,
            channels=channels,
            bits=data_range.bits,
            icc=icc,
            exif=exif,
        )

    return write_parts
