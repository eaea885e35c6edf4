"""The building block of both networks, on one, two or three axes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["BackwardConvolution", "ResidualBlock", "convolution", "project"]

_CONVOLUTIONS: dict[int, type[nn.Conv1d | nn.Conv2d | nn.Conv3d]] = {
    1: nn.Conv1d,
    2: nn.Conv2d,
    3: nn.Conv3d,
}
_FUNCTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}

# Small enough that a fresh stack of blocks is nearly the identity, so that training starts from
# the linear skip beside it rather than from noise.
_BRANCH_SCALE = 0.3


class BackwardConvolution(nn.Conv1d):
    """A convolution over a position and the two before it, on one axis, padded with zeros."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 3, dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, n) to (B, C', n)."""
        return super().forward(functional.pad(x, (2, 0)))


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

    Local by construction: an output depends on inputs at most two positions away, four where both
    convolutions look back.

    ahead: how many of the two look at what is around a position; the others, which are for one
    axis alone, look at what is before it.
    """

    def __init__(self, channels: int, *, axes: int, ahead: int = 2) -> None:
        super().__init__()
        self.first = _looking(channels, axes=axes, ahead=ahead > 0)
        self.second = _looking(channels, axes=axes, ahead=ahead > 1)
        with torch.no_grad():
            self.second.weight.mul_(_BRANCH_SCALE)

    def branch(self, x: Tensor) -> Tensor:
        """What is added to the input, (B, C, *axes)."""
        added: Tensor = self.second(functional.silu(self.first(x)))
        return added

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, *axes) to the same shape."""
        return x + self.branch(x)


def _looking(channels: int, *, axes: int, ahead: bool) -> nn.Conv1d | nn.Conv2d | nn.Conv3d:
    if ahead:
        return convolution(channels, channels, axes=axes)
    assert axes == 1
    return BackwardConvolution(channels, channels)
