"""A sound that is pushed block by block, as a microphone or a pipe gives it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.sound.blocks import SoundBlocks, checked_block

__all__ = ["SoundFlow"]

_FIRST_GUESS = 2**20


class SoundFlow(SoundBlocks):
    """A sound of which some is there already; of that, what is still needed is held.

    Args:
        rate, channels, tags: as of a `SoundBlocks`.
        samples: how many there will be, of each channel; None where nobody knows.

    Attributes:
        extent: while nobody knows the end, one that lies beyond all that is there.

    >>> flow = SoundFlow(rate=8000)
    >>> flow.push(np.zeros(100, np.float32))
    >>> flow.ready, flow.extent > (100,)
    (100, True)
    >>> flow.end()
    >>> flow.extent
    (100,)
    """

    def __init__(
        self,
        *,
        rate: int,
        channels: int = 1,
        samples: int | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self._queue = _Queue()
        guess = _FIRST_GUESS if samples is None else samples
        super().__init__(self._queue, samples=guess, rate=rate, channels=channels, tags=tags)
        self._ready, self._is_known = 0, samples is not None

    @property
    def ready(self) -> int:
        """How many samples are there."""
        return self._ready

    def push(self, block: Any) -> None:
        """Add samples, float32 (n, C), or (n,) for mono. Raises: InputError as `SoundBlocks`."""
        samples = checked_block(block, self.channels)
        if self._is_known and self._ready + len(samples) > self.extent[0]:
            raise InputError(f"there are more samples than {self.extent[0]}")
        if len(samples):
            self._queue.add(samples.copy())
            self._ready += len(samples)
        if not self._is_known and 2 * self._ready > self.extent[0]:
            self.extent = (4 * self._ready,)

    def end(self) -> None:
        """Say that this was all. Raises: InputError if it was not, or there was nothing."""
        if self._is_known and self._ready != self.extent[0]:
            raise InputError(f"the sound ends after {self._ready} of {self.extent[0]} samples")
        if self._ready == 0:
            raise InputError("the sound is empty")
        self.extent, self._is_known = (self._ready,), True


class _Queue:
    """Blocks in their order, each given once."""

    def __init__(self) -> None:
        self._blocks: deque[NDArray[np.float32]] = deque()

    def add(self, block: NDArray[np.float32]) -> None:
        self._blocks.append(block)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return self

    def __next__(self) -> NDArray[np.float32]:
        if not self._blocks:
            raise StopIteration
        return self._blocks.popleft()
