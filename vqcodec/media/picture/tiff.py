"""TIFF files, written here: EXIF data keeps every byte and every offset that points into it.

EXIF data is itself a TIFF file without a picture, full of offsets from its own beginning, some of
them in the makers' private notes. So the file begins with that block as it stands; the picture
follows, then one directory for both, to which the header is turned. It is written band by band, so
that a picture of any size takes the memory of a few rows.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.picture.directories import ENTRY_BYTES, Directory, first_directory

__all__ = ["write_tiff"]

Pixels = NDArray[Any]

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


def write_tiff(
    file: BinaryIO,
    bands: Iterable[Pixels],
    *,
    extent: tuple[int, ...],
    channels: int,
    bits: int = 8,
    icc: bytes | None,
    exif: bytes | None,
) -> None:
    """Write a TIFF of deflated rows, of bands that come from the top.

    bands: uint8 or uint16 (n, W, C), as `bits` says.

    EXIF data without a readable directory is left out.

    file: empty, and open for writing at any place.
    Raises: InputError as soon as the file would need 4 GiB or more.
    """
    described = first_directory(exif or b"")
    order = "<" if described is None else described.order
    file.write(_even(_HEADER if described is None or exif is None else exif))
    rows = max(1, _STRIP_BYTES // (extent[1] * channels * bits // 8))
    offsets, sizes = [], []
    for strip in _strips(bands, rows, order):
        offsets.append(file.tell())
        sizes.append(len(strip))
        file.write(strip)
        _check_size(file.tell())
    start, behind = file.tell(), bytearray()
    values = _picture_tags(extent, channels, bits, rows, offsets, sizes)
    if icc:
        values.append((_ICC_TAG, _UNDEFINED, icc))
    entries = [_entry(behind, start, order, *value) for value in values]
    if described is not None and exif is not None:
        entries += _described_entries(exif, described)
    # Entries stand in the order of their tags.
    entries.sort(key=lambda entry: struct.unpack_from(order + "H", entry)[0])
    behind += bytes((start + len(behind)) % 2)
    directory = start + len(behind)
    file.write(behind + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4))
    _check_size(file.tell())
    file.seek(4)
    file.write(struct.pack(order + "I", directory))


def _even(data: bytes) -> bytes:
    return data + bytes(len(data) % 2)


def _check_size(size: int) -> None:
    if size >= 2**32:
        raise InputError("a TIFF holds less than 4 GiB: write PNG")


def _strips(bands: Iterable[Pixels], rows: int, order: str) -> Iterator[bytes]:
    """Yield strips of so many rows, deflated; each sample as the difference from the one before."""
    for pixels in _regrouped(bands, rows):
        strip = pixels.copy()
        strip[:, 1:] -= pixels[:, :-1]
        yield zlib.compress(strip.astype(f"{order}u{strip.itemsize}").tobytes())


def _regrouped(bands: Iterable[Pixels], rows: int) -> Iterator[Pixels]:
    """Give the rows of bands of any number anew, so many at a time; the last ones may be fewer."""
    rest: Pixels | None = None
    for band in bands:
        taken = 0
        if rest is not None:
            taken = rows - len(rest)
            rest = np.concatenate([rest, band[:taken]])
            if len(rest) < rows:
                continue
            yield rest
        whole = taken + (len(band) - taken) // rows * rows
        for top in range(taken, whole, rows):
            yield band[top : top + rows]
        rest = band[whole:].copy() if whole < len(band) else None
    if rest is not None:
        yield rest


def _picture_tags(
    extent: tuple[int, ...],
    channels: int,
    bits: int,
    rows: int,
    offsets: list[int],
    sizes: list[int],
) -> list[tuple[int, int, bytes | list[int]]]:
    """Return tag, type and values of everything that a reader needs to know about the samples."""
    tags: list[tuple[int, int, bytes | list[int]]] = [
        (256, _LONG, [extent[1]]),
        (257, _LONG, [extent[0]]),
        (258, _SHORT, [bits] * channels),
        (259, _SHORT, [_DEFLATE]),
        (262, _SHORT, [2 if channels >= 3 else 1]),
        (273, _LONG, offsets),
        (274, _SHORT, [1]),
        (277, _SHORT, [channels]),
        (278, _LONG, [rows]),
        (279, _LONG, sizes),
        (284, _SHORT, [1]),
        (317, _SHORT, [_DIFFERENCES]),
    ]
    if channels in (2, 4):
        # Alpha that the colours are not multiplied by.
        tags.append((338, _SHORT, [2]))
    return tags


def _entry(
    behind: bytearray, start: int, order: str, tag: int, kind: int, values: bytes | list[int]
) -> bytes:
    """Return the entry of some values; those that do not fit are put behind `start`."""
    packed = struct.pack(f"{order}{len(values)}{_FORMATS[kind]}", *values)
    place = packed.ljust(4, b"\x00")
    if len(packed) > 4:
        behind += bytes((start + len(behind)) % 2)
        place = struct.pack(order + "I", (start + len(behind)) % 2**32)
        behind += packed
    return struct.pack(order + "HHI", tag, kind, len(values)) + place


def _described_entries(exif: bytes, directory: Directory) -> list[bytes]:
    """Return the entries of EXIF data that belong into a picture's directory, each tag once."""
    kept = {
        entry.tag: exif[entry.place : entry.place + ENTRY_BYTES]
        for entry in directory.entries
        if entry.tag in _DESCRIPTIVE
    }
    return list(kept.values())
