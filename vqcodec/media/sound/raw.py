"""Bare samples, of which the caller says what they are."""

from __future__ import annotations

from vqcodec.bitstream import DEFAULT_LIMITS, Limits
from vqcodec.errors import InputError, LimitError
from vqcodec.media.sound.pcm import from_pcm, sample_bytes
from vqcodec.media.sound.signal import Sound

__all__ = ["read_raw"]


def read_raw(data: bytes, said: str, limits: Limits = DEFAULT_LIMITS) -> Sound:
    """The sound in bare samples, little-endian and channel after channel.

    said: rate, channels and format of `pcm.FORMATS`, with commas between.
    Raises: InputError for other words, for a part of a sample at the end, and as `Sound`;
    LimitError for more samples than allowed.

    >>> read_raw(bytes(960), "24000,1,s16").seconds
    0.02
    """
    words = said.split(",")
    if len(words) != 3 or not (words[0].isdecimal() and words[1] in ("1", "2")):
        raise InputError(
            f"bare samples are said as RATE,CHANNELS,FORMAT, such as 24000,1,s16, got {said[:40]!a}"
        )
    rate, channels, format = int(words[0]), int(words[1]), words[2]
    frame = channels * sample_bytes(format)
    if len(data) % frame:
        raise InputError(f"{len(data)} bytes are no whole number of samples of {frame} bytes")
    if (samples := len(data) // frame) > limits.max_samples:
        raise LimitError(
            f"the sound has {samples} samples, more than the limit of {limits.max_samples}",
            argument="max_samples",
        )
    return Sound(from_pcm(data, format, channels), rate=rate)
