"""A sound as a model takes it: at its rate and of its channels, made window by window."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vqcodec.grid import Region
from vqcodec.media.sound.blocks import SoundBlocks
from vqcodec.media.sound.resample import Resampler
from vqcodec.media.sound.signal import Sound

__all__ = ["PreparedSound", "channels_for", "mixed", "resampler_for", "unmixed"]

Samples = NDArray[np.float32]

resampler_for = cache(Resampler)


class PreparedSound:
    """A sound at another rate, or mixed down: what is asked of it is made then, and not kept.

    Attributes:
        source: the sound that it is made of.
        rate: samples per second.
        channels: 1, or as many as the source has.

    >>> second = Sound(np.zeros((44100, 2), np.float32), rate=44100)
    >>> prepared = PreparedSound(second, rate=24000, channels=1)
    >>> prepared.extent, prepared.window((slice(10, 30),)).shape
    ((24000,), (20, 1))
    """

    def __init__(self, source: Sound | SoundBlocks, *, rate: int, channels: int) -> None:
        self.source, self.rate, self.channels = source, rate, channels
        self._resampler = None if rate == source.rate else resampler_for(source.rate, rate)

    @property
    def tags(self) -> Mapping[str, str]:
        """Those of the source."""
        return self.source.tags

    @property
    def extent(self) -> tuple[int]:
        """How many samples there are, of each channel."""
        (samples,) = self.source.extent
        return (samples if self._resampler is None else self._resampler.count(samples),)

    @property
    def ready(self) -> int:
        """How many samples can be asked for, of those of the source that can."""
        there, (length,) = self.source.ready, self.source.extent
        if self._resampler is None or there == length:
            return self.extent[0] if there == length else there
        return self._resampler.complete(there)

    def window(self, region: Region) -> Samples:
        """The samples of a part of it, (n, C)."""
        (part,) = region
        if self._resampler is None:
            return self._mixed(part.start, part.stop, part.start)
        first, _ = self._resampler.needed(part.start, part.stop)
        keep = max(0, first)
        return self._resampler.window(
            part.start, part.stop, lambda start, stop: self._held(start, stop, keep)
        )

    def _held(self, start: int, stop: int, keep: int) -> Samples:
        """Samples of the source; beyond what can be asked for its last one stays."""
        first, last = max(keep, start), min(self.source.ready, stop)
        inside = self._mixed(first, last, keep)
        return np.pad(inside, ((first - start, stop - last), (0, 0)), mode="edge")

    def _mixed(self, start: int, stop: int, keep: int) -> Samples:
        samples = self.source.window((slice(start, stop),), keep=keep)
        return samples if samples.shape[1] == self.channels else mixed(samples)


def channels_for(signal: Sound | SoundBlocks | PreparedSound, channels: int) -> int:
    """How many channels of a sound a model of so many keeps."""
    return min(signal.channels, channels)


def mixed(samples: Samples) -> Samples:
    """Stereo (n, 2) as mono (n, 1): the mean.

    >>> mixed(np.array([[1, 0.5]], np.float32))
    array([[0.75]], dtype=float32)
    """
    return (samples[:, :1] + samples[:, 1:]) * np.float32(0.5)


def unmixed(samples: Samples, channels: int) -> Samples:
    """What a model of so many channels takes of (n, C), C at most as many: float32 (channels, n).

    Two are the middle and the side, half the sum and half the difference of left and right.

    >>> unmixed(np.array([[1, 0.5]], np.float32), 2)[:, 0]
    array([0.75, 0.25], dtype=float32)
    """
    middle = samples if samples.shape[1] == 1 else mixed(samples)
    if channels == 1:
        return np.ascontiguousarray(middle.T)
    side = np.zeros_like(middle)
    if samples.shape[1] == 2:
        side = (samples[:, :1] - samples[:, 1:]) * np.float32(0.5)
    return np.concatenate([middle.T, side.T])
