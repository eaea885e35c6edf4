"""Between pictures of one to four channels, of eight or sixteen bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["alpha_of", "has_alpha", "sixteen_to_eight", "to_channels"]


def to_channels(pixels: NDArray[Any], channels: int) -> NDArray[Any]:
    """Turn (H, W, 1 to 4) into 1 to 4 channels; an alpha channel that is added is opaque.

    Grey becomes three equal colours; three colours become their rounded mean, so that a grey
    picture that a colour model decoded stays as near to its source as the model brought it.
    """
    colours = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, :1]
    wanted = 3 if channels >= 3 else 1
    if colours.shape[2] < wanted:
        colours = np.repeat(colours, 3, axis=2)
    elif colours.shape[2] > wanted:
        mean = (colours.astype(np.uint32).sum(axis=2, keepdims=True) * 2 + 3) // 6
        colours = mean.astype(pixels.dtype)
    if has_alpha(channels):
        opaque = np.full((*colours.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
        colours = np.concatenate([colours, opaque], axis=2)
    return colours


def has_alpha(channels: int) -> bool:
    """Whether the last of so many channels is alpha."""
    return channels in (2, 4)


def alpha_of(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """The last channel of pixels (H, W, C), which is alpha, in eight bits."""
    alpha = pixels[:, :, -1]
    return alpha if alpha.dtype == np.uint8 else sixteen_to_eight(alpha)


def sixteen_to_eight(samples: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Round 16-bit samples to eight bits, 65535 becoming 255: value / 257 to the nearest."""
    # 257 is odd, so no value lies halfway between two results.
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
