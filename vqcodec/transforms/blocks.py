"""The building block of both networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ResidualBlock"]

# Small enough that a fresh stack of blocks is nearly the identity, so that training starts from
# the linear skip beside it rather than from noise.
_BRANCH_SCALE = 0.3


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a SiLU between them, added to the input (He et al. 2016).

    Local by construction: an output depends on inputs at most two positions away.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(_BRANCH_SCALE)

    def branch(self, x: Tensor) -> Tensor:
        """What is added to the input, (B, C, H, W)."""
        added: Tensor = self.second(functional.silu(self.first(x)))
        return added

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return x + self.branch(x)
