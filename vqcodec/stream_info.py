"""What a stream holds, told from its bytes alone: no model, no decoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vqcodec.bitstream import DEFAULT_LIMITS, FORMAT_VERSION, PRIORS, Buffer, Limits, Stream
from vqcodec.content import FileLike, content_of
from vqcodec.media.base import Medium
from vqcodec.media.registry import read_any_stream

__all__ = ["StreamInfo", "describe_stream", "inspect"]


@dataclass(frozen=True, kw_only=True)
class StreamInfo:
    """A stream's contents; sizes are in bytes.

    Attributes:
        medium: name of the medium.
        extent: samples of the signal along each axis, by the axis' name.
        fingerprint: 16 hexadecimal digits that name the model.
        regions: code chunks, each of which is decoded on its own.
        facts: what the medium says itself, such as the bytes of a colour profile; see
            `Medium.describe`.
        other_chunks: the types of chunks that this version skips.

    >>> import numpy, vqcodec
    >>> data = vqcodec.load("photo").encode(numpy.zeros((48, 64, 3), numpy.uint8))
    >>> info = vqcodec.inspect(data)
    >>> info.format_version, info.channels, info.regions
    (1, 3, 1)
    >>> info.code_bytes < info.file_bytes == len(data)
    True
    >>> vqcodec.find_model(info.fingerprint).label
    'photo-1'
    """

    format_version: int
    medium: str
    extent: Mapping[str, int]
    channels: int
    stages: int
    prior: str
    fingerprint: str
    regions: int
    file_bytes: int
    code_bytes: int
    facts: Mapping[str, Any]
    other_chunks: str


def inspect(data: Buffer | FileLike, limits: Limits = DEFAULT_LIMITS) -> StreamInfo:
    """Check a whole stream and tell what it holds; the codes are not decoded.

    Args:
        data: the bytes of a stream, the path of its file, or a file that is open for reading bytes.

    Raises:
        InputError: the file cannot be read.
        FormatError: as reading it; also CorruptError or LimitError for facts that do not inflate.

    >>> inspect(b"GIF89a and so on")
    Traceback (most recent call last):
    vqcodec.errors.BadMagicError: not a vqcodec file (looks like GIF)
    """
    content: Buffer = content_of(data)
    medium, stream = read_any_stream(content, limits)
    size = memoryview(content).nbytes
    return describe_stream(medium, stream, size=size, limits=limits)


def describe_stream(medium: Medium, stream: Stream, *, size: int, limits: Limits) -> StreamInfo:
    """Tell what a stream of `size` bytes holds that has been read already. Raises as `inspect`."""
    header = stream.header
    types = [chunk.type for chunk in stream.side_chunks]
    return StreamInfo(
        format_version=FORMAT_VERSION,
        medium=medium.name,
        extent=dict(zip(medium.axes, medium.extent_of(stream), strict=False)),
        channels=header.channels,
        stages=header.stages,
        prior=PRIORS[header.prior],
        fingerprint=header.fingerprint.hex(),
        regions=header.regions or len(stream.codes),
        file_bytes=size,
        code_bytes=sum(len(payload) for payload in stream.codes),
        facts=medium.describe(stream, size=size, limits=limits),
        other_chunks="".join(letter for letter in types if letter not in medium.letters),
    )
