"""TIFF files, written here: EXIF data keeps every byte and every offset that points into it.

EXIF data is itself a TIFF file without a picture, full of offsets from its own beginning, some of
them in the makers' private notes. So the file begins with that block as it stands; the picture
follows, then one directory for both, to which the header is turned.
"""

import struct
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.picture.directories import ENTRY_BYTES, Directory, first_directory
from vqcodec.media.picture.signal import Picture

__all__ = ["write_tiff"]

_HEADER = b"II*\x00\x08\x00\x00\x00"
_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_FORMATS = {_SHORT: "H", _LONG: "I", _UNDEFINED: "B"}
_ICC_TAG = 34675
_DEFLATE = 8
_DIFFERENCES = 2
_STRIP_BYTES = 1 << 18

# What EXIF data may say in the picture's own directory: description, maker, model, resolution,
# software, dates, people, rating, XMP, IPTC, and where the Exif and GPS directories stand. Every
# other tag there would tell a reader how to take the samples, and they are no longer the camera's.
_DESCRIPTIVE = frozenset(
    (
        *(270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 700, 18246, 18249, 33432, 33723),
        *(34665, 34853, 40091, 40092, 40093, 40094, 40095),
    )
)


def write_tiff(picture: Picture) -> bytes:
    """Return a TIFF of deflated rows with the picture's colour profile and EXIF data.

    EXIF data without a readable directory is left out.
    Raises: InputError if the file would need 4 GiB or more.
    """
    exif = picture.exif or b""
    described = first_directory(exif)
    head = _HEADER if described is None else exif
    order = "<" if described is None else described.order
    body = bytearray(head + bytes(len(head) % 2))
    offsets, sizes = [], []
    rows = max(1, _STRIP_BYTES // (picture.width * picture.channels))
    for strip in _strips(picture.pixels, rows):
        offsets.append(len(body))
        sizes.append(len(strip))
        body += strip
    values = _picture_tags(picture, rows, offsets, sizes)
    entries = [_entry(body, order, tag, kind, numbers) for tag, kind, numbers in values]
    if described is not None:
        entries += _described_entries(exif, described)
    body += bytes(len(body) % 2)
    directory = len(body)
    # Entries stand in the order of their tags.
    entries.sort(key=lambda entry: struct.unpack_from(order + "H", entry)[0])
    body += struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    if len(body) >= 2**32:
        raise InputError("a TIFF holds less than 4 GiB: write PNG")
    struct.pack_into(order + "I", body, 4, directory)
    return bytes(body)


def _strips(pixels: NDArray[np.uint8], rows: int) -> Iterable[bytes]:
    """Yield strips of so many rows, deflated; each sample as the difference from the one before."""
    for top in range(0, len(pixels), rows):
        strip = pixels[top : top + rows].copy()
        strip[:, 1:] -= pixels[top : top + rows, :-1]
        yield zlib.compress(strip.tobytes())


def _picture_tags(
    picture: Picture, rows: int, offsets: list[int], sizes: list[int]
) -> list[tuple[int, int, bytes | list[int]]]:
    """Return tag, type and values of everything that a reader needs to know about the samples."""
    colour = picture.channels >= 3
    tags: list[tuple[int, int, bytes | list[int]]] = [
        (256, _LONG, [picture.width]),
        (257, _LONG, [picture.height]),
        (258, _SHORT, [8] * picture.channels),
        (259, _SHORT, [_DEFLATE]),
        (262, _SHORT, [2 if colour else 1]),
        (273, _LONG, offsets),
        (274, _SHORT, [1]),
        (277, _SHORT, [picture.channels]),
        (278, _LONG, [rows]),
        (279, _LONG, sizes),
        (284, _SHORT, [1]),
        (317, _SHORT, [_DIFFERENCES]),
    ]
    if picture.channels in (2, 4):
        # Alpha that the colours are not multiplied by.
        tags.append((338, _SHORT, [2]))
    if picture.icc:
        tags.append((_ICC_TAG, _UNDEFINED, picture.icc))
    return tags


def _entry(body: bytearray, order: str, tag: int, kind: int, values: bytes | list[int]) -> bytes:
    """Return the entry of some values; those that do not fit into it are put behind the body."""
    packed = struct.pack(f"{order}{len(values)}{_FORMATS[kind]}", *values)
    place = packed.ljust(4, b"\x00")
    if len(packed) > 4:
        body += bytes(len(body) % 2)
        place = struct.pack(order + "I", len(body) % 2**32)
        body += packed
    return struct.pack(order + "HHI", tag, kind, len(values)) + place


def _described_entries(exif: bytes, directory: Directory) -> list[bytes]:
    """Return the entries of EXIF data that belong into a picture's directory, each tag once."""
    kept = {
        entry.tag: exif[entry.place : entry.place + ENTRY_BYTES]
        for entry in directory.entries
        if entry.tag in _DESCRIPTIVE
    }
    return list(kept.values())
