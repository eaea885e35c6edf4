"""A sound in memory: its samples, how many there are in a second, and its tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.grid import Region
from vqcodec.media.sound.chunks import RATES

__all__ = ["LOUDEST", "RATES", "Sound", "check_rate", "check_samples"]

# Full scale is 1; more is loud beyond what any file of integers holds, but float files do hold it.
LOUDEST = 64.0


@dataclass(frozen=True, eq=False)
class Sound:
    """Mono or stereo sound.

    samples: float32 (T, C), full scale is 1, C = 1 mono, 2 stereo (left, right). rate: samples per
    second. tags: such as title and artist, by their names in lower case.
    Raises: InputError for another dtype or shape, an empty sound, a rate outside of RATES, and
    samples that are not finite or louder than LOUDEST.

    >>> Sound(np.zeros((24000, 1), np.float32), rate=24000).extent
    (24000,)
    """

    samples: NDArray[np.float32]
    rate: int
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape, dtype = self.samples.shape, self.samples.dtype
        if dtype != np.float32 or len(shape) != 2 or shape[1] not in (1, 2):
            raise InputError(f"samples must be float32 (T, 1 or 2), got {dtype} {shape}")
        if shape[0] == 0:
            raise InputError("the sound is empty")
        check_rate(self.rate)
        check_samples(self.samples)

    @property
    def extent(self) -> tuple[int]:
        """How many samples there are, of each channel."""
        return (int(self.samples.shape[0]),)

    @property
    def channels(self) -> int:
        """1 mono, 2 stereo."""
        return int(self.samples.shape[1])

    @property
    def ready(self) -> int:
        """How many samples can be asked for: all."""
        return self.extent[0]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.extent[0] / self.rate

    def window(self, region: Region, *, keep: int | None = None) -> NDArray[np.float32]:
        """The samples of a part of it, (T, C); all others stay, whatever is to be kept."""
        return self.samples[region]


def check_rate(rate: int) -> None:
    """Raise InputError unless there are sounds of so many samples a second.

    >>> check_rate(44100)
    """
    if type(rate) is not int or rate not in RATES:
        raise InputError(
            f"rate must be {RATES.start} to {RATES.stop - 1} samples a second, got {rate!r}"
        )


def check_samples(samples: NDArray[np.float32]) -> None:
    """Raise InputError unless all samples are finite and at most as loud as LOUDEST.

    >>> check_samples(np.zeros((9, 2), np.float32))
    """
    # NaN is not at most anything.
    largest = float(np.abs(samples).max(initial=0))
    if not largest <= LOUDEST:
        raise InputError(f"samples must be finite and at most {LOUDEST:g}, got {largest}")
