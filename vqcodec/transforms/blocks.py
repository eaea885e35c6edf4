"""The building block of both networks, on one, two or three axes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ResidualBlock", "convolution", "project"]

_CONVOLUTIONS: dict[int, type[nn.Conv1d | nn.Conv2d | nn.Conv3d]] = {
    1: nn.Conv1d,
    2: nn.Conv2d,
    3: nn.Conv3d,
}
_FUNCTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}

# Small enough that a fresh stack of blocks is nearly the identity, so that training starts from
# the linear skip beside it rather than from noise.
_BRANCH_SCALE = 0.3


def convolution(channels: int, out: int, *, axes: int) -> nn.Conv1d | nn.Conv2d | nn.Conv3d:
    """A convolution of side 3 that keeps the size of a grid, which it pads with zeros."""
    return _CONVOLUTIONS[axes](channels, out, 3, padding=1, dtype=torch.float32)


def project(x: Tensor, rows: Tensor) -> Tensor:
    """Multiply the channels of (B, C, *axes) by rows (C', C): (B, C', *axes)."""
    axes = x.dim() - 2
    kernel = rows.reshape(*rows.shape, *([1] * axes))
    projected: Tensor = _FUNCTIONS[axes](x, kernel)
    return projected


class ResidualBlock(nn.Module):
    """Two convolutions of side 3 with a SiLU between them, added to the input (He et al. 2016).

    Local by construction: an output depends on inputs at most two positions away.
    """

    def __init__(self, channels: int, *, axes: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels, axes=axes)
        self.second = convolution(channels, channels, axes=axes)
        with torch.no_grad():
            self.second.weight.mul_(_BRANCH_SCALE)

    def branch(self, x: Tensor) -> Tensor:
        """What is added to the input, (B, C, *axes)."""
        added: Tensor = self.second(functional.silu(self.first(x)))
        return added

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, *axes) to the same shape."""
        return x + self.branch(x)
