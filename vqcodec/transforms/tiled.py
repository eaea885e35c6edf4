"""Running a local network over a large signal with bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["apply_tiled"]


def apply_tiled(
    network: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    grid: tuple[int, ...],
    side: int,
    reach: int,
) -> Tensor:
    """Apply a network tile by tile, each tile with all the context that its outputs depend on.

    Tiles are cut on the grid of positions; a tile at the border of the picture ends there, so the
    network pads it just as it would pad the whole.

    Args:
        network: maps (B, C, h * a, w * a) to (B, C', h * b, w * b) for whole a and b.
        x: float (B, C, H, W), a whole number of samples per position of the grid.
        grid: rows and columns of positions, two numbers.
        side: positions per side of a tile.
        reach: how many positions away an input can change an output.

    Returns:
        what `network(x)` returns.
    """
    rows, columns = grid
    if rows <= side and columns <= side:
        return network(x)
    unit = x.shape[2] // rows
    strips = []
    for top in range(0, rows, side):
        strip = []
        for left in range(0, columns, side):
            upper, lower = max(0, top - reach), min(rows, top + side + reach)
            first, last = max(0, left - reach), min(columns, left + side + reach)
            y = network(x[:, :, upper * unit : lower * unit, first * unit : last * unit])
            scale = y.shape[2] // (lower - upper)
            height = (min(rows, top + side) - top) * scale
            width = (min(columns, left + side) - left) * scale
            y = y[:, :, (top - upper) * scale :, (left - first) * scale :]
            strip.append(y[:, :, :height, :width])
        strips.append(torch.cat(strip, 3))
    return torch.cat(strips, 2)
