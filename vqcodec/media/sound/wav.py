"""WAV files: what their chunks say, and where the samples lie.

RIFF and its 64-bit kin RF64; PCM of 8 to 32 bits and IEEE floats, plain or as the extensible format
says them. "Multiple Channel Audio Data and WAVE Files", Microsoft, 2007; EBU Tech 3306 (RF64).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from vqcodec.errors import InputError
from vqcodec.media.sound.pcm import FORMATS
from vqcodec.media.sound.tags import pack_info, unpack_info

__all__ = ["WavHead", "is_wav", "pack_wav_head", "read_wav_head"]

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_BY_BITS = {
    **{(_PCM, bits): name for bits, name in ((8, "u8"), (16, "s16"), (24, "s24"), (32, "s32"))},
    **{(_FLOAT, 32): "f32", (_FLOAT, 64): "f64"},
}
# Lengths that programs write which do not know them: to the end of the file.
_OPEN = (0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFFE)
_MOST = 2**32 - 1
_LONGEST_INFO = 2**20


@dataclass(frozen=True)
class WavHead:
    """What a WAV file holds: a format of `pcm.FORMATS`, and where `samples` of each channel begin.

    format: None for samples that are compressed.
    """

    format: str | None
    channels: int
    rate: int
    samples: int
    begin: int
    tags: Mapping[str, str] = field(default_factory=dict)


def is_wav(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a WAV file.

    >>> is_wav(b"RIFF" + bytes(4) + b"WAVEfmt ")
    True
    """
    return head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"


def read_wav_head(file: BinaryIO) -> WavHead:
    """Read what a WAV file says of its samples, and its tags.

    Raises: InputError if there are no samples, or fewer than it says.
    """
    size = file.seek(0, os.SEEK_END)
    tags: dict[str, str] = {}
    form, data = b"", None
    for name, begin, length in _chunks(file, size):
        if name == b"fmt ":
            file.seek(begin)
            form = file.read(min(length, 40))
        elif name == b"LIST" and length <= _LONGEST_INFO:
            file.seek(begin)
            body = file.read(length)
            tags |= unpack_info(body[4:]) if body[:4] == b"INFO" else {}
        elif name == b"data" and data is None:
            data = begin, length
    if len(form) < 16:
        raise InputError("the sound is damaged or cut off: a WAV file without its format")
    if data is None:
        raise InputError("the sound is damaged or cut off: a WAV file without samples")
    return _judged(form, *data, size, tags)


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of the chunks of a file; of the last one what it says, or is there."""
    place, wide = 12, 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(8)
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if name == b"ds64":
            wide = int.from_bytes(file.read(16)[8:16], "little")
        if name == b"data":
            left = size - place - 8
            if length == _MOST and wide:
                length = wide
            elif length in _OPEN and (length > left or (length == 0 and not _goes_on(file, size))):
                length = left
        yield name, place + 8, length
        place += 8 + length + length % 2


def _goes_on(file: BinaryIO, size: int) -> bool:
    """Whether what stands here is a chunk, as behind samples of which there are truly none."""
    place = file.tell()
    head = file.read(8)
    return head[:4].isalnum() and place + 8 + int.from_bytes(head[4:], "little") <= size


def _judged(form: bytes, begin: int, length: int, size: int, tags: Mapping[str, str]) -> WavHead:
    kind, channels = (int.from_bytes(form[at : at + 2], "little") for at in (0, 2))
    rate, bits = int.from_bytes(form[4:8], "little"), int.from_bytes(form[14:16], "little")
    if kind == _EXTENSIBLE and len(form) >= 26:
        kind = int.from_bytes(form[24:26], "little")
    frame = int.from_bytes(form[12:14], "little")
    format = _BY_BITS.get((kind, 8 * frame // max(1, channels) if kind == _PCM else bits))
    if format is None:
        return WavHead(None, channels, rate, 0, begin, tags)
    if frame != FORMATS[format] * channels:
        raise InputError(f"the sound is damaged: {bits} bits, {channels} channels, {frame} bytes")
    if begin + length > size:
        there = max(0, size - begin) // frame
        raise InputError(
            f"the sound is damaged or cut off: {there} of {length // frame} samples are there"
        )
    return WavHead(format, channels, rate, length // frame, begin, tags)


def pack_wav_head(head: WavHead) -> bytes:
    """What stands before the samples of a WAV file; RF64 where they take 4 GiB.

    `begin` is not looked at. Tags stand before the samples, so that these are written as they come.
    """
    assert head.format is not None
    bits, frame = 8 * FORMATS[head.format], FORMATS[head.format] * head.channels
    kind = _FLOAT if head.format[0] == "f" else _PCM
    numbers = (
        *((kind, 2), (head.channels, 2), (head.rate, 4), (head.rate * frame, 4)),
        *((frame, 2), (bits, 2), *([(0, 2)] if kind == _FLOAT else [])),
    )
    form = b"".join(number.to_bytes(size, "little") for number, size in numbers)
    info, length = pack_info(head.tags), head.samples * frame
    chunks = _packed(b"fmt ", form) + (_packed(b"LIST", b"INFO" + info) if info else b"")
    # The size of all that follows the first eight bytes.
    whole = 4 + len(chunks) + 8 + length + length % 2
    if whole <= _MOST:
        size, begin = length.to_bytes(4, "little"), b"RIFF" + whole.to_bytes(4, "little") + b"WAVE"
    else:
        wide = b"".join(n.to_bytes(8, "little") for n in (whole + 36, length, head.samples))
        size, begin = (
            b"\xff" * 4,
            b"RF64" + b"\xff" * 4 + b"WAVE" + _packed(b"ds64", wide + bytes(4)),
        )
    return begin + chunks + b"data" + size


def _packed(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)
