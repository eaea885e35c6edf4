"""The EXIF tags that a turned picture makes wrong: its orientation, and its sizes.

EXIF data is a TIFF file without a picture. It is edited in place, byte for byte, because writing
it anew would move the makers' private notes, which point into it.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.picture.directories import ENTRY_BYTES, first_directory, sub_directory

__all__ = [
    "apply_orientation",
    "find_orientation",
    "remove_orientation",
    "reset_orientation",
    "strip_exif_prefix",
    "swap_sizes",
]

_PREFIX = b"Exif\x00\x00"
_ORIENTATION_TAG = 0x0112
_SHORT = 3
_EXIF_TAG = 0x8769
# Width and height in the picture's own directory, and in the Exif directory.
_SIZES = ((0x0100, 0x0101), (0xA002, 0xA003))


def strip_exif_prefix(exif: bytes) -> bytes:
    """Return EXIF data from its TIFF header on, whatever its container put before it."""
    return exif.removeprefix(_PREFIX)


def find_orientation(exif: bytes) -> int:
    """Return the orientation, 1 to 8; 1 if there is none or the data makes no sense."""
    place = _locate(exif)
    if place is None:
        return 1
    order, offset = place
    value = int(struct.unpack_from(order + "H", exif, offset)[0])
    return value if 1 <= value <= 8 else 1


def reset_orientation(exif: bytes) -> bytes:
    """Return the same EXIF data with orientation 1; unchanged if it states none."""
    place = _locate(exif)
    if place is None:
        return exif
    order, offset = place
    return exif[:offset] + struct.pack(order + "H", 1) + exif[offset + 2 :]


def remove_orientation(exif: bytes) -> bytes:
    """Return the same EXIF data without its orientation; what stands behind it moves up."""
    place = _locate(exif)
    if place is None:
        return exif
    order, value = place
    directory = struct.unpack_from(order + "I", exif, 4)[0]
    count = struct.unpack_from(order + "H", exif, directory)[0]
    entry, end = value - 8, min(directory + 2 + count * ENTRY_BYTES + 4, len(exif))
    moved = exif[entry + ENTRY_BYTES : end] + bytes(ENTRY_BYTES)
    fewer = struct.pack(order + "H", count - 1)
    return exif[:directory] + fewer + exif[directory + 2 : entry] + moved + exif[end:]


def swap_sizes(exif: bytes) -> bytes:
    """Return the same EXIF data with width and height exchanged, wherever both are stated."""
    block = bytearray(exif)
    first = first_directory(exif)
    for directory in (first, first and sub_directory(exif, first, _EXIF_TAG)):
        for tags in _SIZES:
            width, height = (directory.find(tag) if directory else None for tag in tags)
            if width and height:
                # All of an entry but its tag: a width may be a long where a height is a short.
                a, b = (
                    slice(entry.place + 2, entry.place + ENTRY_BYTES) for entry in (width, height)
                )
                block[a], block[b] = block[b], block[a]
    return bytes(block)


def apply_orientation(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn stored pixels (H, W, C) the right way up.

    orientation: 1 to 8, by EXIF 2.3 section 4.6.4: 5 to 8 swap rows and columns, then 2, 3, 6
    and 7 mirror left to right, and 3, 4, 7 and 8 top to bottom.
    """
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _locate(exif: bytes) -> tuple[str, int] | None:
    """Return byte order and offset of the orientation's value, or None if there is none."""
    directory = first_directory(exif)
    entry = directory and directory.find(_ORIENTATION_TAG)
    if not directory or not entry or (entry.type, entry.length) != (_SHORT, 1):
        return None
    return directory.order, entry.place + 8
