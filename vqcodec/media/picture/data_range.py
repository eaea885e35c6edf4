"""Which values of a picture's samples lie between 0 and 1: all of eight bits, or from the lowest to
the highest that a picture of sixteen bits has.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from vqcodec.bitstream import Chunk, Stream
from vqcodec.errors import CorruptError

__all__ = ["EIGHT_BITS", "RANGE", "DataRange", "check_range", "pack_range", "range_of"]

RANGE = "R"

# Bits of a sample, the lowest and the highest one.
_PAYLOAD = struct.Struct("<BHH")


@dataclass(frozen=True)
class DataRange:
    """The lowest and the highest sample, and the bits of each, 8 or 16.

    >>> DataRange(12, 4000).width
    3988
    """

    lowest: int
    highest: int
    bits: int = 16

    @property
    def width(self) -> int:
        """How far the highest lies above the lowest; 1 if all samples are equal."""
        return max(1, self.highest - self.lowest)


EIGHT_BITS = DataRange(0, 255, 8)
_SIXTEEN_BITS = DataRange(0, 65535)


def pack_range(data_range: DataRange) -> Chunk:
    """The chunk that carries a range of sixteen bits."""
    payload = _PAYLOAD.pack(data_range.bits, data_range.lowest, data_range.highest)
    return Chunk(RANGE, payload)


def range_of(stream: Stream, bits: int | None) -> DataRange:
    """The range of a stream's samples with so many bits each; None for as many as it was made of.

    What was made of eight bits fills all of sixteen.
    """
    payload = stream.payload(RANGE)
    if bits == EIGHT_BITS.bits or (bits is None and payload is None):
        return EIGHT_BITS
    return _SIXTEEN_BITS if payload is None else _unpack(payload)


def check_range(chunks: Sequence[Chunk]) -> None:
    """Raise CorruptError for a range that is none."""
    for chunk in chunks:
        if chunk.type == RANGE:
            _unpack(chunk.payload)


def _unpack(payload: bytes) -> DataRange:
    if len(payload) != _PAYLOAD.size:
        raise CorruptError(f"a range chunk has {_PAYLOAD.size} bytes, this one {len(payload)}")
    bits, lowest, highest = _PAYLOAD.unpack(payload)
    if bits != _SIXTEEN_BITS.bits or lowest > highest:
        raise CorruptError(f"a range chunk says {bits} bits, from {lowest} to {highest}")
    return DataRange(lowest, highest, bits)
