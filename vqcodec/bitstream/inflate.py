"""Compressed text and facts in a chunk, inflated within a limit."""

import zlib

from vqcodec.bitstream.container import Stream
from vqcodec.bitstream.limits import Limits
from vqcodec.errors import CorruptError, LimitError

__all__ = ["inflated_chunk"]


def inflated_chunk(stream: Stream, chunk_type: str, limits: Limits) -> bytes | None:
    """What the zlib stream in a side chunk holds, None without such a chunk.

    Never inflates more than limits.max_metadata_bytes.

    Raises:
        LimitError: there is more.
        CorruptError: the payload is not exactly one zlib stream.
    """
    payload = stream.payload(chunk_type)
    if payload is None:
        return None
    what, most = f"a chunk of type {chunk_type}", limits.max_metadata_bytes
    inflater = zlib.decompressobj()
    try:
        # One byte more than is allowed tells a full payload from one that is too long.
        raw = inflater.decompress(payload, most + 1)
    except zlib.error as error:
        raise CorruptError(f"{what} does not inflate: {error}") from error
    if len(raw) > most:
        raise LimitError(f"{what} inflates to more than the limit of {most} bytes")
    if not inflater.eof or inflater.unused_data:
        raise CorruptError(f"{what} is not exactly one zlib stream")
    return raw
