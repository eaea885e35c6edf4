"""A codebook in a file of its own, for the streams that name it."""

from __future__ import annotations

import zlib
from typing import Any

from vqcodec.content import content_of
from vqcodec.errors import BadModelError, CorruptError
from vqcodec.media.vector.codebook import Codebook, pack_codebook, unpack_codebook

__all__ = ["codebook_bytes", "read_codebook"]

# As that of a stream, with a B for the second half of its name.
_MAGIC = b"\x89VQB\r\n\n\x01"
_MOST_BYTES = 2**28


def codebook_bytes(book: Codebook) -> bytes:
    """The bytes of a codebook file."""
    body = _MAGIC + pack_codebook(book)
    return body + zlib.crc32(body).to_bytes(4, "little")


def read_codebook(source: Any) -> Codebook:
    """The codebook in a file, given by path, open, or as its bytes.

    Raises:
        InputError: a file that cannot be read. BadModelError: it is no codebook, or damaged.

    >>> read_codebook(b"something else")
    Traceback (most recent call last):
    vqcodec.errors.BadModelError: not a codebook of vectors
    """
    data = content_of(source)
    if not isinstance(data, bytes | bytearray | memoryview) or bytes(data[:8]) != _MAGIC:
        raise BadModelError("not a codebook of vectors")
    if len(data) > _MOST_BYTES:
        raise BadModelError(f"a codebook of {len(data)} bytes, more than {_MOST_BYTES}")
    body, checksum = bytes(data[:-4]), bytes(data[-4:])
    if zlib.crc32(body).to_bytes(4, "little") != checksum:
        raise BadModelError("the checksum of the codebook does not match: the file is damaged")
    try:
        return unpack_codebook(body[len(_MAGIC) :])
    except CorruptError as error:
        raise BadModelError(str(error)) from error
