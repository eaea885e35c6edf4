"""Small pictures moved a little: what others of their class may look like."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

__all__ = ["nudge"]

# At most, either way: of a digit of 28 pixels one pixel, and no stroke becomes another.
_TURN = math.radians(6)
_GROWTH = 0.06
_SHIFT = 1 / 28


def nudge(pictures: Tensor, random: Generator) -> Tensor:
    """Each picture turned, scaled and shifted by chance; its edge goes on beyond itself.

    pictures: float32 (N, C, H, W).

    >>> nudge(torch.rand(2, 1, 28, 28), np.random.default_rng(0)).shape
    torch.Size([2, 1, 28, 28])
    """
    count, _, height, width = pictures.shape
    turn, growth, down, right = torch.from_numpy(
        random.uniform(-1, 1, (4, count)).astype(np.float32)
    )
    size = torch.exp(_GROWTH * growth)
    cos, sin = size * torch.cos(_TURN * turn), size * torch.sin(_TURN * turn)
    # Places run from -1 to 1 along both axes, however long they are.
    across = torch.stack([cos, -sin * (height / width), 2 * _SHIFT * right], dim=1)
    along = torch.stack([sin * (width / height), cos, 2 * _SHIFT * down], dim=1)
    grid = functional.affine_grid(
        torch.stack([across, along], dim=1), list(pictures.shape), align_corners=False
    )
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
