"""A chunk: one letter that says what it is, a length, a payload and a checksum."""

import zlib
from dataclasses import dataclass

from vqcodec.bitstream.varint import MAX_VARINT, Readable, append_varint, read_varint
from vqcodec.errors import ChecksumError, CorruptError, InputError, LimitError, TruncatedError

__all__ = [
    "CODES",
    "Chunk",
    "check_codes",
    "chunk_end",
    "pack_chunk",
    "packed_size",
    "unpack_chunk",
]

CODES = "C"


@dataclass(frozen=True)
class Chunk:
    """A part of a stream. type: one ASCII letter; a capital may not be skipped by a reader.

    Raises: InputError for another type, or a payload of 4 GiB or more.
    """

    type: str
    payload: bytes

    def __post_init__(self) -> None:
        if len(self.type) != 1 or not (self.type.isascii() and self.type.isalpha()):
            raise InputError(f"a chunk's type is one ASCII letter, got {self.type!r}")
        if len(self.payload) > MAX_VARINT:
            raise InputError(f"a payload has fewer than 2**32 bytes, got {len(self.payload)}")

    @property
    def is_critical(self) -> bool:
        """Whether a reader that does not know the type must refuse the stream."""
        return self.type.isupper()


def pack_chunk(chunk: Chunk, header_checksum: bytes, number: int) -> bytes:
    """Write a chunk of the stream whose header has this checksum.

    number: the region of a code chunk, 0 for any other chunk.
    """
    out = bytearray(chunk.type, "ascii")
    append_varint(out, len(chunk.payload))
    out += chunk.payload
    out += _checksum(bytes(out), header_checksum, number)
    return bytes(out)


def packed_size(payload: bytes) -> int:
    """How many bytes a chunk of this payload takes.

    >>> packed_size(bytes(200))
    207
    """
    length = bytearray()
    append_varint(length, len(payload))
    return 1 + len(length) + len(payload) + 4


def unpack_chunk(
    data: Readable,
    start: int,
    header_checksum: bytes,
    *,
    number: int,
    name: str,
    max_bytes: int = MAX_VARINT,
) -> tuple[Chunk, int]:
    """Read the chunk at an offset; return it and the offset behind it.

    name: what to call it in the message of an error. max_bytes: the longest payload allowed.
    Raises: TruncatedError, ChecksumError, LimitError; CorruptError if its type is no letter.
    """
    length, body = read_varint(data, start + 1, f"the length of {name}")
    end = body + length + 4
    if end > len(data):
        raise TruncatedError(
            f"{name} at byte {start} declares {length} bytes of payload, "
            f"only {max(0, len(data) - body - 4)} are there"
        )
    if length > max_bytes:
        raise LimitError(
            f"{name} at byte {start} has {length} bytes of payload, "
            f"more than the limit of {max_bytes}"
        )
    # Once: it may have to be read from a file.
    whole = memoryview(data[start:end])
    if whole[-4:] != _checksum(whole[:-4], header_checksum, number):
        raise ChecksumError(f"the checksum of {name} does not match: the file is damaged")
    letter = chr(whole[0])
    if not (letter.isascii() and letter.isalpha()):
        raise CorruptError(f"{name} at byte {start} has a type that is no letter: {letter!a}")
    return Chunk(letter, bytes(whole[body - start : -4])), end


def check_codes(letter: str, number: int) -> None:
    """Raise CorruptError if the chunk that should hold the codes of a region is of another type."""
    if letter != CODES:
        raise CorruptError(f"code chunk {number} expected, found one of type {letter!a}")


def chunk_end(data: Readable, start: int, name: str) -> int:
    """The offset behind a chunk, by the length that it declares. Raises: as read_varint."""
    length, body = read_varint(data, start + 1, f"the length of {name}")
    return body + length + 4


def _checksum(content: bytes | memoryview, header_checksum: bytes, number: int) -> bytes:
    """Return the four bytes that follow a chunk.

    The header and the region's number take part, so that a chunk moved to another place, or to
    another stream, is noticed.
    """
    seed = zlib.crc32(header_checksum + number.to_bytes(4, "little"))
    return zlib.crc32(content, seed).to_bytes(4, "little")
