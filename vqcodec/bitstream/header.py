"""The header: what a stream holds and which model it needs, in about 28 bytes."""

import math
import zlib
from dataclasses import dataclass

from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.bitstream.magic import MAGIC, check_magic
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
    "BOUNDED",
    "FORMAT_VERSION",
    "MAX_HEADER_BYTES",
    "MAX_STAGES",
    "PRIORS",
    "Header",
    "pack_header",
    "unpack_header",
]

FORMAT_VERSION = 1
# The prior of streams that need no model.
BOUNDED = "bounded"
PRIORS = ("raw", "static", "mixing", BOUNDED)
MAX_STAGES = 64
MAX_AXES = 16
MAX_CHANNELS = 256
FINGERPRINT_BYTES = 8

_FIXED = len(MAGIC) + 3 + FINGERPRINT_BYTES
# Five bytes are the longest varint: channels, each axis and regions; then stages and checksum.
MAX_HEADER_BYTES = _FIXED + 5 * (MAX_AXES + 2) + 1 + 4


@dataclass(frozen=True, kw_only=True)
class Header:
    """The fields of a header, each in its allowed range.

    medium: its number, in [0, 15]. extent: samples along each of 1 to 16 axes, each in
    [1, 2^32 - 1]. channels: values of a sample, in [1, 256]. stages: how many the codes have, in
    [1, 64]. prior: index into PRIORS. fingerprint: 8 bytes that name the model. regions: how many
    code chunks follow, below 2^32; 0 if nobody knew, see `open_length`.
    Raises: InputError for a field outside its range.
    """

    medium: int
    extent: tuple[int, ...]
    channels: int
    stages: int
    prior: int
    fingerprint: bytes
    regions: int

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("medium", self.medium, 0, 15),
            ("number of axes", len(self.extent), 1, MAX_AXES),
            *(("extent", length, 1, MAX_VARINT) for length in self.extent),
            ("channels", self.channels, 1, MAX_CHANNELS),
            ("stages", self.stages, 1, MAX_STAGES),
            ("prior", self.prior, 0, len(PRIORS) - 1),
            ("regions", self.regions, 0, MAX_VARINT),
        ):
            if not low <= value <= high:
                raise InputError(f"{name} must be {low} to {high}, got {value}")
        if len(self.fingerprint) != FINGERPRINT_BYTES:
            raise InputError(f"a fingerprint has 8 bytes, got {len(self.fingerprint)}")

    @property
    def samples(self) -> int:
        """How many samples the signal has, whatever its channels."""
        return math.prod(self.extent)


def pack_header(header: Header) -> bytes:
    """Write a header, its checksum included."""
    out = bytearray(MAGIC)
    out += bytes((FORMAT_VERSION, header.medium | len(header.extent) - 1 << 4, header.prior))
    out += header.fingerprint
    append_varint(out, header.channels)
    for length in header.extent:
        append_varint(out, length)
    out.append(header.stages)
    append_varint(out, header.regions)
    out += zlib.crc32(out).to_bytes(4, "little")
    return bytes(out)


def unpack_header(
    data: bytes, limits: Limits = DEFAULT_LIMITS, *, open_length: bool = False
) -> tuple[Header, int]:
    """Read the header at the front of the data; return it and its length in bytes.

    open_length: take one that does not say how many regions follow.
    Raises: BadMagicError, UnsupportedVersionError, TruncatedError, ChecksumError, CorruptError,
    and LimitError if the signal has more than limits.max_samples.
    """
    check_magic(data)
    _check_version(data)
    medium, prior = data[len(MAGIC) + 1], data[len(MAGIC) + 2]
    channels, start = read_varint(data, _FIXED, "the channels")
    extent = []
    for axis in range(1 + (medium >> 4)):
        length, start = read_varint(data, start, f"the extent along axis {axis}")
        extent.append(length)
    if start >= len(data):
        raise TruncatedError(f"the data ends inside the header, after {len(data)} bytes")
    stages = data[start]
    regions, start = read_varint(data, start + 1, "the number of regions")
    _check_checksum(data, start)
    # Only now are the values worth a judgement: before, a wrong one may be a damaged one.
    if regions == 0 and not open_length:
        raise UnsupportedVersionError("a stream of open length needs a newer vqcodec")
    _judge(extent, channels, stages, prior, limits)
    header = Header(
        medium=medium & 15,
        extent=tuple(extent),
        channels=channels,
        stages=stages,
        prior=prior,
        fingerprint=data[_FIXED - FINGERPRINT_BYTES : _FIXED],
        regions=regions,
    )
    return header, start + 4


def _check_version(data: bytes) -> None:
    """Refuse a version whose further bytes are not known, and what is too short to have one."""
    if len(data) < _FIXED:
        raise TruncatedError(f"the data ends inside the header, after {len(data)} bytes")
    version = data[len(MAGIC)]
    if version == 0:
        raise CorruptError("format version 0 does not exist: the file is damaged")
    if version > FORMAT_VERSION:
        raise UnsupportedVersionError(
            f"format version {version} needs a newer vqcodec (this one reads up to "
            f"{FORMAT_VERSION}), or the file is damaged"
        )


def _check_checksum(data: bytes, end: int) -> None:
    """Compare the checksum at an offset with that of the bytes before it."""
    if len(data) < end + 4:
        raise TruncatedError(f"the data ends inside the header's checksum at byte {len(data)}")
    if zlib.crc32(data[:end]) != int.from_bytes(data[end : end + 4], "little"):
        raise ChecksumError("header checksum does not match: the file is damaged")


def _judge(extent: list[int], channels: int, stages: int, prior: int, limits: Limits) -> None:
    """Refuse fields that arrived undamaged and make no sense, or that this version lacks."""
    text = " x ".join(map(str, extent))
    if 0 in extent:
        raise CorruptError(f"the header declares an empty signal, {text}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise CorruptError(f"the header declares {channels} channels")
    if not 1 <= stages <= MAX_STAGES:
        raise CorruptError(f"the header declares {stages} stages, there are 1 to {MAX_STAGES}")
    if prior >= len(PRIORS):
        raise UnsupportedVersionError(f"prior {prior} needs a newer vqcodec")
    if math.prod(extent) > limits.max_samples:
        raise LimitError(
            f"the signal has {text} samples, more than the limit of {limits.max_samples}",
            argument="max_samples",
        )
