"""The file: header, chunks, checksums and limits. docs/format.md says what every byte means."""

from vqcodec.bitstream.chunk import CODES, Chunk, packed_size
from vqcodec.bitstream.container import Buffer, Stream, read_header, read_stream, write_stream
from vqcodec.bitstream.header import BOUNDED, FORMAT_VERSION, MAX_STAGES, PRIORS, Header
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits, limits_of
from vqcodec.bitstream.partial import PartialStream, read_partial_stream

__all__ = [
    "BOUNDED",
    "CODES",
    "DEFAULT_LIMITS",
    "FORMAT_VERSION",
    "MAX_STAGES",
    "PRIORS",
    "Buffer",
    "Chunk",
    "Header",
    "Limits",
    "PartialStream",
    "Stream",
    "limits_of",
    "packed_size",
    "read_header",
    "read_partial_stream",
    "read_stream",
    "write_stream",
]
