"""The filtered rows in an alpha payload, inflated piece by piece: what is wrong with them shows
before a plane is made, and before NumPy is there.
"""

import zlib
from collections.abc import Iterator

from vqcodec.errors import CorruptError
from vqcodec.media.picture.alpha_tiles import TILED, read_tiles

__all__ = ["CONSTANT", "FILTERED", "LAST_FILTER", "check_payload", "constant_of", "inflate_rows"]

# The first byte of a payload.
CONSTANT, FILTERED = 0, 1
LAST_FILTER = 3

_PIECE = 2**16


def check_payload(payload: bytes, height: int, width: int) -> None:
    """Raise CorruptError unless a payload is exactly one plane of this size.

    Rows are inflated for that; tiles are counted and measured, which finds what their decoder would
    run past, and are decoded later.

    >>> check_payload(bytes((CONSTANT, 255)), 480, 640)
    >>> check_payload(bytes((FILTERED,)) + zlib.compress(bytes(9)), 480, 640)
    Traceback (most recent call last):
    vqcodec.errors.CorruptError: the alpha chunk does not inflate to exactly 307680 bytes
    """
    if payload[:1] == bytes((TILED,)):
        for _ in read_tiles(payload, height, width):
            pass
    elif constant_of(payload) is None:
        for _ in inflate_rows(payload, height, width):
            pass


def constant_of(payload: bytes) -> int | None:
    """The value that every sample of a plane has; None for a payload of rows."""
    return payload[1] if len(payload) == 2 and payload[0] == CONSTANT else None


def inflate_rows(payload: bytes, height: int, width: int) -> Iterator[bytes]:
    """Give the rows of a payload, `height` times (1 + width) bytes, in pieces of any length.

    Never inflates more than the plane needs. Raises: CorruptError if the payload is not exactly one
    plane of this size, or names an unknown filter.
    """
    if len(payload) < 2 or payload[0] != FILTERED:
        raise CorruptError(f"the alpha chunk does not begin as one should: {payload[:2].hex()!r}")
    size, done, rest = height * (width + 1), 0, payload[1:]
    inflater, highest = zlib.decompressobj(), 0
    while not inflater.eof and done <= size:
        try:
            # One byte more than is right tells a whole stream from one that goes on.
            piece = inflater.decompress(rest, min(_PIECE, size + 1 - done))
        except zlib.error as error:
            raise CorruptError(f"the alpha chunk does not inflate: {error}") from error
        if not piece:
            break
        highest = max(highest, max(piece[-done % (width + 1) :: width + 1], default=0))
        done, rest = done + len(piece), inflater.unconsumed_tail
        yield piece
    if done != size or not inflater.eof or inflater.unused_data:
        raise CorruptError(f"the alpha chunk does not inflate to exactly {size} bytes")
    if highest > LAST_FILTER:
        raise CorruptError(f"the alpha chunk has a row of unknown filter {highest}")
