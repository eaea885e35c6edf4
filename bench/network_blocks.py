"""Blocks that a network of bench/network_variants.py can be made of, in the plane.

Each maps (B, C, H, W) to the same shape, adds to its input, starts nearly as the identity, and says
by `reach` how many positions away it looks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# As in the product's block: a fresh stack of blocks is nearly the identity.
BRANCH_SCALE = 0.3
HEAD = 32


def _convolution(channels: int, out: int, side: int, *, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, out, side, padding=side // 2, groups=groups, dtype=torch.float32)


class _Block(nn.Module):
    """last: the convolution that what is added comes from."""

    reach: int
    last: nn.Conv2d

    def scale_branch(self) -> None:
        with torch.no_grad():
            self.last.weight.mul_(BRANCH_SCALE)


class Inverted(_Block):
    """A depthwise convolution, then two of side 1 with more channels between (Liu et al. 2022).

    Without a norm, as convolutional codecs are.
    """

    def __init__(self, channels: int, *, side: int, expansion: int) -> None:
        super().__init__()
        self.depthwise = _convolution(channels, channels, side, groups=channels)
        self.first = _convolution(channels, expansion * channels, 1)
        self.last = _convolution(expansion * channels, channels, 1)
        self.reach = side // 2
        self.scale_branch()

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.last(functional.silu(self.first(self.depthwise(x))))
        return x + added


class Bottleneck(_Block):
    """Convolutions of side 1, 3 and 1 with half the channels between (He et al. 2022, ELIC)."""

    reach = 1

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels // 2, 1)
        self.middle = _convolution(channels // 2, channels // 2, 3)
        self.last = _convolution(channels // 2, channels, 1)
        self.scale_branch()

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.silu(self.middle(functional.silu(self.first(x))))
        added: Tensor = self.last(hidden)
        return x + added


class Gated(_Block):
    """Two convolutions of side 3 with a gate between (Shazeer 2020: SwiGLU).

    hidden: channels between; two thirds of the block's cost as much as a plain block.
    """

    reach = 2

    def __init__(self, channels: int, *, hidden: int) -> None:
        super().__init__()
        self.first = _convolution(channels, 2 * hidden, 3)
        self.last = _convolution(hidden, channels, 3)
        self.scale_branch()

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.first(x).chunk(2, dim=1)
        added: Tensor = self.last(value * functional.silu(gate))
        return x + added


class Windows(_Block):
    """Attention within windows of 8 x 8 positions, counted from the first one (Liu et al. 2021).

    Exact under tiling where regions begin at whole windows, and what is around them is whole
    windows, too. A window that the grid cuts has fewer positions.
    """

    side = 8
    # To the other end of a window that an output lies in, and to its border.
    reach = side

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = channels // HEAD
        self.norm = nn.LayerNorm(channels, dtype=torch.float32)
        self.first = _convolution(channels, 3 * channels, 1)
        self.last = _convolution(channels, channels, 1)
        offsets = (2 * self.side - 1) ** 2
        self.bias = nn.Parameter(torch.zeros(offsets, self.heads, dtype=torch.float32))
        self.scale_branch()

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        normed = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        pads = (-width % self.side, -height % self.side)
        triple = functional.pad(self.first(normed), (0, pads[0], 0, pads[1]))
        parts = self._to_windows(triple).chunk(3, dim=-1)
        query, key, value = (self._to_heads(part) for part in parts)
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=self._allowances(x, pads)
        )
        mixed = self._from_windows(seen.transpose(1, 2).flatten(2), triple.shape[2:])
        added: Tensor = self.last(mixed[:, :, :height, :width])
        return x + added

    def _allowances(self, x: Tensor, pads: tuple[int, int]) -> Tensor:
        """What scores of all pairs of positions gain: float (windows or 1, heads, n, n)."""
        bias = self.bias[_offsets(self.side)].permute(2, 0, 1)[None]
        if not any(pads):
            return bias
        there = functional.pad(torch.ones_like(x[:, :1]), (0, pads[0], 0, pads[1]))
        missing = self._to_windows(there)[:, None, :, :].transpose(2, 3) == 0
        return bias.masked_fill(missing, -torch.inf)

    def _to_windows(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (windows, positions, C)."""
        count, channels, height, width = x.shape
        parts = (height // self.side, self.side, width // self.side, self.side)
        cut = x.reshape(count, channels, *parts).permute(0, 2, 4, 3, 5, 1)
        return cut.reshape(-1, self.side**2, channels)

    def _from_windows(self, x: Tensor, grid: torch.Size) -> Tensor:
        """Undo `_to_windows`."""
        rows, columns = (length // self.side for length in grid)
        cut = x.reshape(-1, rows, columns, self.side, self.side, x.shape[-1])
        return cut.permute(0, 5, 1, 3, 2, 4).reshape(len(cut), x.shape[-1], *grid)

    def _to_heads(self, x: Tensor) -> Tensor:
        """(windows, positions, C) -> (windows, heads, positions, C / heads)."""
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


def _offsets(side: int) -> Tensor:
    """For each pair of a window's positions the number of the offset between them, (n, n)."""
    axis = torch.arange(side, device="cpu")
    places = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).flatten(1)
    rows, columns = (places[:, :, None] - places[:, None, :] + side - 1).unbind()
    numbers: Tensor = rows * (2 * side - 1) + columns
    return numbers
