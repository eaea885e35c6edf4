"""What a training run's log shows of a batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.media.sound.spectrogram import shades

__all__ = ["preview"]

_SOUNDS = 4


def preview(original: Tensor, decoded: Tensor, *, rate: int) -> NDArray[np.uint8]:
    """Lay spectrograms of the first sounds of a batch side by side, above those of the decoded.

    Args:
        original, decoded: float (B, C, T); the first channel is shown.
        rate: samples per second.

    Returns:
        uint8 (2 * bands, n * columns, 1), n = min(B, 4).
    """
    rows = []
    for batch in (original, decoded):
        first = batch[:_SOUNDS, 0].detach().float().cpu().numpy()
        rows.append(np.concatenate([shades(samples, rate) for samples in first], axis=1))
    return np.concatenate(rows)[..., None]
