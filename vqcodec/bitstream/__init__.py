"""The file: header, chunks, checksums and limits. docs/format.md says what every byte means."""

from vqcodec.bitstream.chunk import ALPHA, CODES, EXIF, ICC, MODEL_NAME, Chunk
from vqcodec.bitstream.container import Buffer, Stream, read_header, read_stream, write_stream
from vqcodec.bitstream.header import FORMAT_VERSION, KINDS, MAX_LEVELS, MAX_STAGES, PRIORS, Header
from vqcodec.bitstream.levels import join_levels, split_levels
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.bitstream.tiles import TILE_SIDE, Tile, count_tiles, iterate_tiles

__all__ = [
    "ALPHA",
    "CODES",
    "DEFAULT_LIMITS",
    "EXIF",
    "FORMAT_VERSION",
    "ICC",
    "KINDS",
    "MAX_LEVELS",
    "MAX_STAGES",
    "MODEL_NAME",
    "PRIORS",
    "TILE_SIDE",
    "Buffer",
    "Chunk",
    "Header",
    "Limits",
    "Stream",
    "Tile",
    "count_tiles",
    "iterate_tiles",
    "join_levels",
    "read_header",
    "read_stream",
    "split_levels",
    "write_stream",
]
