"""Between pictures of one to four channels."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["to_channels"]


def to_channels(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Turn (H, W, 1 to 4) into 1 to 4 channels; an alpha channel that is added is opaque.

    Grey becomes three equal colours; three colours become their rounded mean, so that a grey
    picture that a colour model decoded stays as near to its source as the model brought it.
    """
    colours = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, :1]
    wanted = 3 if channels >= 3 else 1
    if colours.shape[2] < wanted:
        colours = np.repeat(colours, 3, axis=2)
    elif colours.shape[2] > wanted:
        mean = (colours.astype(np.uint16).sum(axis=2, keepdims=True) * 2 + 3) // 6
        colours = mean.astype(np.uint8)
    if channels in (2, 4):
        opaque = np.full((*colours.shape[:2], 1), 255, np.uint8)
        colours = np.concatenate([colours, opaque], axis=2)
    return colours
