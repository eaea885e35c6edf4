"""The file: header, chunks, checksums and limits. docs/format.md says what every byte means."""

from vqcodec.bitstream.chunk import CODES, Chunk, packed_size
from vqcodec.bitstream.container import (
    Buffer,
    Stream,
    StreamWriter,
    as_bytes,
    read_header,
    read_stream,
    write_stream,
)
from vqcodec.bitstream.header import (
    BOUNDED,
    FORMAT_VERSION,
    MAX_HEADER_BYTES,
    MAX_STAGES,
    PRIORS,
    Header,
)
from vqcodec.bitstream.inflate import inflated_chunk
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits, limits_of
from vqcodec.bitstream.open_length import (
    INDEX,
    CountedStream,
    OpenStream,
    OpenWriter,
    open_stream,
    whole_stream,
)
from vqcodec.bitstream.partial import PartialStream, read_partial_stream
from vqcodec.bitstream.reader import StreamReader
from vqcodec.bitstream.sought import FileBytes, SoughtStream, seek_stream

__all__ = [
    "BOUNDED",
    "CODES",
    "DEFAULT_LIMITS",
    "FORMAT_VERSION",
    "INDEX",
    "MAX_HEADER_BYTES",
    "MAX_STAGES",
    "PRIORS",
    "Buffer",
    "Chunk",
    "CountedStream",
    "FileBytes",
    "Header",
    "Limits",
    "OpenStream",
    "OpenWriter",
    "PartialStream",
    "SoughtStream",
    "Stream",
    "StreamReader",
    "StreamWriter",
    "as_bytes",
    "inflated_chunk",
    "limits_of",
    "open_stream",
    "packed_size",
    "read_header",
    "read_partial_stream",
    "read_stream",
    "seek_stream",
    "whole_stream",
    "write_stream",
]
