"""What a training run's log shows of a batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["preview"]

_PICTURES = 4


def preview(original: Tensor, decoded: Tensor) -> NDArray[np.uint8]:
    """Lay the first pictures of a batch side by side, each above what was decoded of it.

    Args:
        original, decoded: float (B, C, H, W) in [0, 1]; C is 1 or 3.

    Returns:
        uint8 (2 * H, n * W, C), n = min(B, 4).
    """
    rows = torch.stack([original[:_PICTURES].float(), decoded[:_PICTURES].float()])
    pixels = (rows.clamp(0, 1) * 255).round().byte()
    _, count, channels, height, width = pixels.shape
    grid = pixels.permute(0, 3, 1, 4, 2).reshape(2 * height, count * width, channels)
    return grid.cpu().numpy()
