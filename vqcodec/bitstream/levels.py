"""One code chunk from the payloads of all levels, and back."""

from collections.abc import Sequence

from vqcodec.bitstream.varint import append_varint, read_varint
from vqcodec.errors import CorruptError

__all__ = ["join_levels", "split_levels"]


def join_levels(payloads: Sequence[bytes]) -> bytes:
    """Put the levels of a tile behind each other, coarse to fine.

    Every payload but the last is preceded by its length; the last one ends with the chunk, so
    a single level costs nothing.
    """
    out = bytearray()
    for payload in payloads[:-1]:
        append_varint(out, len(payload))
        out += payload
    out += payloads[-1]
    return bytes(out)


def split_levels(payload: bytes, count: int) -> list[bytes]:
    """Take the chunk of a tile apart into `count` >= 1 payloads, coarse to fine.

    Raises: TruncatedError or CorruptError if a length does not fit the chunk.
    """
    payloads, start = [], 0
    for level in range(count - 1):
        length, start = read_varint(payload, start, f"the length of level {level}")
        if length > len(payload) - start:
            raise CorruptError(
                f"level {level} declares {length} bytes, its chunk holds {len(payload) - start}"
            )
        payloads.append(payload[start : start + length])
        start += length
    payloads.append(payload[start:])
    return payloads
