"""A sound that comes in blocks, of which those are held that are still needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.choices import check_whole
from vqcodec.errors import InputError
from vqcodec.media.sound.signal import check_rate, check_samples

__all__ = ["SoundBlocks", "checked_block"]

Samples = NDArray[np.float32]

_END: Any = object()
_LONGEST = 2**32 - 1


class SoundBlocks:
    """A sound of blocks that come in order, from anywhere: longer ones than memory.

    Args:
        blocks: gives float32 (n, C), full scale 1, any number of samples at a time; for mono (n,),
            too. They are copied. An iterator gives them once, which is enough for a quality; a
            target in bytes or decibels needs an iterable that begins anew each time.
        samples: how many there are, of each channel.
        rate, tags: as of a `Sound`.
        channels: 1 mono, 2 stereo.
        begin: which sample the blocks begin with, where earlier ones are not asked for.

    Raises:
        InputError: a number that no sound has; while it is encoded, blocks of another shape or
            dtype, samples that no sound has, fewer or more of them, or none where they are needed
            once more.

    >>> seconds = (np.full(24000, n / 10, np.float32) for n in range(9))
    >>> sound = SoundBlocks(seconds, samples=9 * 24000, rate=24000)
    >>> sound.window((slice(23999, 24001),))[:, 0]
    array([0. , 0.1], dtype=float32)
    >>> sound.held
    48000
    """

    def __init__(
        self,
        blocks: Iterable[Samples],
        *,
        samples: int,
        rate: int,
        channels: int = 1,
        tags: Mapping[str, str] | None = None,
        begin: int = 0,
    ) -> None:
        check_whole("samples", samples, 1, _LONGEST)
        check_whole("channels", channels, 1, 2)
        check_rate(rate)
        self.extent, self.channels, self.rate = (samples,), channels, rate
        self.tags: Mapping[str, str] = {} if tags is None else dict(tags)
        self._blocks, self._begins = blocks, begin
        self._source: Iterator[Samples] | None = None
        self._held: deque[Samples] = deque()
        self._first = self._drawn = begin

    @property
    def ready(self) -> int:
        """How many samples can be asked for: all."""
        return self.extent[0]

    @property
    def held(self) -> int:
        """Samples that are in memory now."""
        return self._drawn - self._first

    def window(self, region: tuple[slice, ...], *, keep: int | None = None) -> Samples:
        """The samples of a part of it, (n, C); those before it, or before `keep`, are let go.

        Raises:
            InputError: the blocks are not as they should be, or cannot be drawn once more.
        """
        (part,) = region
        keep = part.start if keep is None else keep
        if self._source is None or keep < self._first:
            self._begin()
        while self._drawn < part.stop:
            self._let_go(keep)
            self._draw()
        self._let_go(keep)
        parts, first = [], self._first
        for block in self._held:
            parts.append(block[max(0, part.start - first) : max(0, part.stop - first)])
            first += len(block)
        return np.concatenate(parts)

    def _begin(self) -> None:
        if self._source is not None and self._source is self._blocks:
            raise InputError(
                "the blocks are needed once more and can be drawn once: ask for a quality, or give "
                "blocks that begin anew"
            )
        self._source = iter(self._blocks)
        self._held.clear()
        self._first = self._drawn = self._begins

    def _let_go(self, keep: int) -> None:
        """Forget the blocks that end before a sample."""
        while self._held and self._first + len(self._held[0]) <= keep:
            self._first += len(self._held.popleft())

    def _draw(self) -> None:
        """Take what comes next, and look whether all ends where it should."""
        assert self._source is not None
        (length,) = self.extent
        block = next(self._source, _END)
        if block is _END:
            raise InputError(f"the sound ends after {self._drawn} of {length} samples")
        self._held.append(checked_block(block, self.channels).copy())
        self._drawn += len(self._held[-1])
        if self._drawn > length or (self._drawn == length and next(self._source, _END) is not _END):
            raise InputError(f"there are more samples than {length}")


def checked_block(block: Any, channels: int) -> Samples:
    """A block as (n, C). Raises: InputError for another shape or dtype, or wild samples.

    >>> checked_block(np.zeros(9, np.float32), 1).shape
    (9, 1)
    """
    shape, dtype = np.shape(block), getattr(block, "dtype", type(block).__name__)
    if dtype != np.float32 or shape not in ((*shape[:1], channels), shape[:1] * (channels == 1)):
        wanted = "(n,) or (n, 1)" if channels == 1 else f"(n, {channels})"
        raise InputError(
            f"a block of so many channels ({channels}) is float32 {wanted}, got {dtype} {shape}"
        )
    samples: Samples = block.reshape(-1, channels)
    check_samples(samples)
    return samples
