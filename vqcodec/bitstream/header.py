"""The header: what a stream holds and which model it needs, in about 25 bytes."""

import zlib
from dataclasses import dataclass
from typing import Any

from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.bitstream.magic import MAGIC, check_magic
from vqcodec.bitstream.tiles import count_tiles
from vqcodec.bitstream.varint import MAX_VARINT, append_varint, read_varint
from vqcodec.errors import (
    ChecksumError,
    CorruptError,
    InputError,
    LimitError,
    TruncatedError,
    UnsupportedVersionError,
)

__all__ = [
    "FORMAT_VERSION",
    "KINDS",
    "MAX_LEVELS",
    "MAX_STAGES",
    "PRIORS",
    "Header",
    "pack_header",
    "unpack_header",
]

FORMAT_VERSION = 1
KINDS = ("picture",)
PRIORS = ("raw", "static", "mixing")
MAX_STAGES = 64
MAX_LEVELS = 8
FINGERPRINT_BYTES = 8

_KIND_BITS = 0b0000_0011
_CHANNEL_SHIFT = 2
_PRIOR_SHIFT = 4
_LAYOUT_RESERVED = 0b1000_0000
_STAGE_BITS = 0b0011_1111
_STAGE_RESERVED = 0b0100_0000
_ANOTHER_LEVEL = 0b1000_0000


@dataclass(frozen=True, kw_only=True)
class Header:
    """The fields of a header, each in its allowed range.

    width, height: pixels, in [1, 2**32 - 1]. channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
    stages: how many stages each level carries, coarse to fine, each in [1, 64]; 1 to 8 levels.
    prior_mode: index into PRIORS. fingerprint: 8 bytes that name the model. kind: 0, a picture.
    Raises: InputError for a field outside its range.
    """

    width: int
    height: int
    channels: int
    stages: tuple[int, ...]
    prior_mode: int
    fingerprint: bytes
    kind: int = 0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("width", self.width, 1, MAX_VARINT),
            ("height", self.height, 1, MAX_VARINT),
            ("channels", self.channels, 1, 4),
            ("kind", self.kind, 0, len(KINDS) - 1),
            ("prior_mode", self.prior_mode, 0, len(PRIORS) - 1),
            ("number of levels", len(self.stages), 1, MAX_LEVELS),
            *(("stages", count, 1, MAX_STAGES) for count in self.stages),
        ):
            if not low <= value <= high:
                raise InputError(f"{name} must be {low} to {high}, got {value}")
        if len(self.fingerprint) != FINGERPRINT_BYTES:
            raise InputError(f"a fingerprint has 8 bytes, got {len(self.fingerprint)}")

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha, carried in a chunk of its own."""
        return self.channels in (2, 4)

    @property
    def tiles(self) -> int:
        """How many tiles, and so code chunks, the picture has."""
        return count_tiles(self.width, self.height)


def pack_header(header: Header) -> bytes:
    """Write a header, its checksum included."""
    out = bytearray(MAGIC)
    out.append(FORMAT_VERSION)
    out.append(
        header.kind | (header.channels - 1) << _CHANNEL_SHIFT | header.prior_mode << _PRIOR_SHIFT
    )
    out += header.fingerprint
    append_varint(out, header.width)
    append_varint(out, header.height)
    for count in header.stages[:-1]:
        out.append(_ANOTHER_LEVEL | count - 1)
    out.append(header.stages[-1] - 1)
    out += zlib.crc32(out).to_bytes(4, "little")
    return bytes(out)


def unpack_header(data: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[Header, int]:
    """Read the header at the front of the data; return it and its length in bytes.

    Raises: BadMagicError, UnsupportedVersionError, TruncatedError, ChecksumError, CorruptError,
    and LimitError if the picture has more than limits.max_pixels.
    """
    check_magic(data)
    layout = _read_layout(data)
    start = len(MAGIC) + 2 + FINGERPRINT_BYTES
    fingerprint = data[len(MAGIC) + 2 : start]
    width, start = read_varint(data, start, "the width")
    height, start = read_varint(data, start, "the height")
    levels, start = _read_levels(data, start)
    _check_checksum(data, start)
    # Only now are the values worth a judgement: before, a wrong one may be a damaged one.
    if layout & _LAYOUT_RESERVED or any(byte & _STAGE_RESERVED for byte in levels):
        raise CorruptError("a bit of the header that must be zero is set")
    fields = {
        "width": width,
        "height": height,
        "channels": 1 + (layout >> _CHANNEL_SHIFT & 3),
        "stages": tuple(1 + (byte & _STAGE_BITS) for byte in levels),
        "prior_mode": layout >> _PRIOR_SHIFT & 7,
        "fingerprint": fingerprint,
    }
    return _checked_header(fields, limits), start + 4


def _read_layout(data: bytes) -> int:
    """Return the layout byte of a version and kind whose further bytes are known."""
    if len(data) < len(MAGIC) + 2 + FINGERPRINT_BYTES:
        raise TruncatedError(f"the data ends inside the header, after {len(data)} bytes")
    version, layout = data[len(MAGIC)], data[len(MAGIC) + 1]
    if version == 0:
        raise CorruptError("format version 0 does not exist: the file is damaged")
    if version > FORMAT_VERSION:
        raise UnsupportedVersionError(
            f"format version {version} needs a newer vqcodec (this one reads up to "
            f"{FORMAT_VERSION}), or the file is damaged"
        )
    kind = layout & _KIND_BITS
    if kind >= len(KINDS):
        raise UnsupportedVersionError(
            f"signal kind {kind} needs a newer vqcodec (this one reads pictures), "
            "or the file is damaged"
        )
    return layout


def _read_levels(data: bytes, start: int) -> tuple[bytes, int]:
    """Return the bytes that hold the stage counts, and the offset behind them."""
    for end in range(start, start + MAX_LEVELS):
        if end >= len(data):
            raise TruncatedError(f"the data ends inside the stage counts at byte {end}")
        if not data[end] & _ANOTHER_LEVEL:
            return data[start : end + 1], end + 1
    raise CorruptError(f"the header declares more than {MAX_LEVELS} levels")


def _check_checksum(data: bytes, end: int) -> None:
    """Compare the checksum at an offset with that of the bytes before it."""
    if len(data) < end + 4:
        raise TruncatedError(f"the data ends inside the header's checksum at byte {len(data)}")
    if zlib.crc32(data[:end]) != int.from_bytes(data[end : end + 4], "little"):
        raise ChecksumError("header checksum does not match: the file is damaged")


def _checked_header(fields: dict[str, Any], limits: Limits) -> Header:
    """Build the header of fields that arrived undamaged, if they make sense."""
    width, height, prior_mode = fields["width"], fields["height"], fields["prior_mode"]
    if not width or not height:
        raise CorruptError(f"the header declares an empty picture, {width} x {height}")
    if prior_mode >= len(PRIORS):
        raise UnsupportedVersionError(f"prior mode {prior_mode} needs a newer vqcodec")
    if width * height > limits.max_pixels:
        raise LimitError(
            f"the picture has {width} x {height} pixels, more than the limit of {limits.max_pixels}"
        )
    return Header(**fields)
