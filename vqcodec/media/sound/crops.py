"""Random crops of sounds, as loud and as wide as any listener may have them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.media.crops import Crops

__all__ = ["SoundCrops"]

# How much louder or softer a crop becomes, in decibels.
_GAINS = (-18.0, 4.0)
# Share of the crops of one channel that are moved out of the middle, where a model has two.
_MOVED = 0.2
_FULL_SCALE = 32768.0


class SoundCrops(Crops):
    """Crops of sounds held as int16 (T, C): what a model takes, (mid, side) or mono."""

    def turn(self, crop: NDArray[np.int16], random: Generator) -> NDArray[np.float32]:
        """Another gain, perhaps upside down, perhaps with left and right exchanged."""
        low, high = _GAINS
        gain = 10 ** (random.uniform(low, high) / 20) * random.choice((-1.0, 1.0))
        samples = crop.astype(np.float32) * np.float32(gain / _FULL_SCALE)
        largest = float(np.abs(samples).max())
        if largest > 1:
            samples /= largest
        if samples.shape[1] == 2:
            samples[:, 1] *= random.choice((-1.0, 1.0))
            if random.random() < _MOVED and not samples[:, 1].any():
                samples[:, 1] = samples[:, 0] * np.float32(random.uniform(-1, 1))
        return samples

    def to_batch(self, crops: list[NDArray[np.float32]]) -> Tensor:
        """Float32 (B, C, T)."""
        return torch.from_numpy(np.stack(crops)).movedim(-1, 1).contiguous()
