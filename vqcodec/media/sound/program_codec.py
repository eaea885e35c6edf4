"""A codec that programs run, as a contestant."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import CorruptError
from vqcodec.media.sound.signal import Sound
from vqcodec.media.workshop import Contestant

__all__ = ["Format", "from_pcm", "program_contestant", "to_pcm"]

# What the programs' own files need not say: rate, channels and how many samples there were.
_FACTS = struct.Struct("<IBQ")


@dataclass(frozen=True)
class Format:
    """Samples per second, and channels, of sound that a program is given or gives."""

    rate: int
    channels: int


def program_contestant(
    name: str,
    *,
    version: str,
    settings: str,
    ladder: Sequence[float],
    encode: Callable[[Sound, float], bytes],
    decode: Callable[[bytes, Format, int], NDArray[np.float32]],
    packets: Callable[[bytes], list[bytes]],
) -> Contestant:
    """A contestant whose packets alone count.

    encode: a sound and a value of the ladder -> the file of a program. decode: such a file, the
    sound's format and number of samples -> samples (T, C), without the codec's delay. packets: of
    such a file, as a container of the least size would hold them.
    """

    def encode_with_facts(sound: Sound, setting: float) -> bytes:
        facts = _FACTS.pack(sound.rate, sound.channels, sound.extent[0])
        return facts + encode(sound, setting)

    def decode_with_facts(data: bytes) -> Sound:
        rate, channels, length = _FACTS.unpack_from(data)
        samples = decode(data[_FACTS.size :], Format(rate, channels), length)
        if samples.shape != (length, channels):
            raise CorruptError(f"{name} gives {samples.shape} samples, not {(length, channels)}")
        return Sound(samples, rate)

    return Contestant(
        name=name,
        version=version,
        settings=settings,
        ladder=ladder,
        encode=encode_with_facts,
        decode=decode_with_facts,
        size=lambda data: sum(len(packet) for packet in packets(data[_FACTS.size :])),
        counted="packets",
    )


def to_pcm(samples: NDArray[np.float32]) -> bytes:
    """Samples of full scale 1 as 16-bit integers, little-endian, which all programs take.

    >>> to_pcm(np.array([[0.0], [0.5], [-2.0]], np.float32)).hex()
    '000000400080'
    """
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype("<i2").tobytes()


def from_pcm(data: bytes, *, channels: int) -> NDArray[np.float32]:
    """Samples (T, channels) of 16-bit integers; the inverse of `to_pcm`.

    >>> from_pcm(bytes.fromhex("000000400080"), channels=1).ravel().tolist()
    [0.0, 0.5, -1.0]
    """
    return np.frombuffer(data, "<i2").reshape(-1, channels).astype(np.float32) * np.float32(2**-15)
