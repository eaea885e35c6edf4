"""PNG files, written here band by band: a picture of any size in the memory of a few rows.

Smaller ones are left to Pillow, which wants a picture whole.
"""

import struct
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["write_png"]

Bytes = NDArray[np.uint8]

_MAGIC = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_PAETH = 4
# Samples that are filtered, and bytes that are written, at a time.
_SAMPLES = 2**20
_CHUNK_BYTES = 2**18


def write_png(
    file: BinaryIO,
    bands: Iterable[NDArray[Any]],
    *,
    extent: tuple[int, ...],
    channels: int,
    bits: int = 8,
    icc: bytes | None,
    exif: bytes | None,
) -> None:
    """Write a PNG of bands, uint8 or uint16 (n, W, C) as `bits` says, that come from the top.

    Every row is filtered by Paeth's predictor.
    """
    height, width = extent
    file.write(_MAGIC)
    head = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
    _write_chunk(file, b"IHDR", head)
    if icc is not None:
        _write_chunk(file, b"iCCP", b"ICC Profile\x00\x00" + zlib.compress(icc))
    if exif is not None:
        _write_chunk(file, b"eXIf", exif)
    deflater, waiting = zlib.compressobj(), bytearray()
    size = channels * bits // 8
    above = np.zeros((width, size), np.uint8)
    rows = max(1, _SAMPLES // (width * size))
    for band in bands:
        for top in range(0, len(band), rows):
            part = _as_bytes(band[top : top + rows])
            waiting += deflater.compress(_filtered(part, above))
            above = part[-1]
            if len(waiting) >= _CHUNK_BYTES:
                _write_chunk(file, b"IDAT", waiting)
                waiting.clear()
    _write_chunk(file, b"IDAT", waiting + deflater.flush())
    _write_chunk(file, b"IEND", b"")


def _as_bytes(pixels: NDArray[Any]) -> Bytes:
    """Rows (n, W, C) as the bytes of each pixel, high ones first: uint8 (n, W, C or 2 * C)."""
    if pixels.dtype == np.uint8:
        return pixels
    return pixels.astype(">u2", order="C").view(np.uint8)


def _filtered(rows: Bytes, above: Bytes) -> bytes:
    """Rows (n, W, bytes) as the number of their filter and what Paeth's predictor leaves of them.

    PNG specification, section 9.4. above: the row before them.
    """
    wide = np.zeros((len(rows) + 1, rows.shape[1] + 1, rows.shape[2]), np.int16)
    wide[0, 1:], wide[1:, 1:] = above, rows
    left, up, corner = wide[1:, :-1], wide[:-1, 1:], wide[:-1, :-1]
    from_left, from_up = np.abs(up - corner), np.abs(left - corner)
    from_corner = np.abs(left + up - 2 * corner)
    guess = np.where(from_up <= from_corner, up, corner)
    guess = np.where((from_left <= from_up) & (from_left <= from_corner), left, guess)
    lines = np.empty((len(rows), 1 + rows.shape[1] * rows.shape[2]), np.uint8)
    lines[:, 0] = _PAETH
    lines[:, 1:] = (wide[1:, 1:] - guess).astype(np.uint8).reshape(len(rows), -1)
    return lines.tobytes()


def _write_chunk(file: BinaryIO, kind: bytes, body: bytes | bytearray) -> None:
    file.write(struct.pack(">I", len(body)) + kind)
    file.write(body)
    file.write(struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))))
