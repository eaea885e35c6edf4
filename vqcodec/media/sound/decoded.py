"""From what a model decodes to a sound at the rate that it had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Limits, Stream
from vqcodec.errors import CorruptError
from vqcodec.grid import Region, clip, whole
from vqcodec.grid import shrink as shrunk
from vqcodec.media.base import Part
from vqcodec.media.sound.blocks import SoundBlocks
from vqcodec.media.sound.chunks import rates_of, unpack_tags
from vqcodec.media.sound.prepared import PreparedSound, resampler_for
from vqcodec.media.sound.signal import LOUDEST, Sound

__all__ = ["decoded_blocks", "decoded_sound", "samples_for"]

Samples = NDArray[np.float32]

_BLOCK = 2**17


def samples_for(stream: Stream, region: Region, shrink: int) -> Region:
    """The samples of the model that a part of a sound is made of; see `Medium.samples_for`."""
    rates, header = rates_of(stream), stream.header
    if rates.rate == rates.coded:
        return region
    (part,) = shrunk(region, shrink)
    first, last = resampler_for(rates.coded, rates.rate).needed(part.start, part.stop)
    needed = (slice(max(0, first) * shrink, last * shrink),)
    return clip(needed, whole(header.extent))


def decoded_blocks(
    parts: Iterable[Part], stream: Stream, region: Region, *, shrink: int = 1
) -> Iterator[Samples]:
    """A part of a sound in blocks of some seconds, float32 (n, C), as its parts are decoded.

    Raises: CorruptError if the model has fewer channels than the sound.
    """
    rates, channels = rates_of(stream), stream.header.channels
    blocks = (_joined(samples, channels) for _, samples in parts)
    if rates.rate == rates.coded:
        yield from blocks
        return
    (needed,) = shrunk(samples_for(stream, _stretched(region, stream, shrink), shrink), shrink)
    source = SoundBlocks(
        blocks, samples=needed.stop, rate=rates.coded, channels=channels, begin=needed.start
    )
    resampled = PreparedSound(source, rate=rates.rate, channels=channels)
    (part,) = region
    for start in range(part.start, part.stop, _BLOCK):
        made = resampled.window((slice(start, min(part.stop, start + _BLOCK)),))
        yield np.clip(made, -LOUDEST, LOUDEST)


def decoded_sound(
    parts: Iterable[Part], stream: Stream, region: Region, *, shrink: int = 1
) -> Sound:
    """A part of a sound with its tags; see `Medium.from_samples`."""
    tags = unpack_tags(stream, Limits())
    samples = np.concatenate(list(decoded_blocks(parts, stream, region, shrink=shrink)))
    return Sound(samples, rate=round(rates_of(stream).rate / shrink), tags=tags)


def _stretched(region: Region, stream: Stream, shrink: int) -> Region:
    (part,), (length,) = region, (rates_of(stream).samples,)
    return (slice(part.start * shrink, min(length, part.stop * shrink)),)


def _joined(samples: Samples, channels: int) -> Samples:
    """What a model decoded, (C', n), as mono or as left and right: (n, channels)."""
    if len(samples) < channels:
        raise CorruptError(f"a sound of {channels} channels is of a model of {len(samples)}")
    samples = np.clip(samples, -LOUDEST / 2, LOUDEST / 2)
    if channels == 1:
        return np.ascontiguousarray(samples[:1].T)
    middle, side = samples[:, :, None]
    return np.concatenate([middle + side, middle - side], axis=1)
