"""Running a local network over a large signal with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from vqcodec.grid import cut, inside, lengths, stretch, widen

__all__ = ["apply_tiled"]


def apply_tiled(
    network: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    grid: Sequence[int],
    side: Sequence[int],
    reach: int | None,
) -> Tensor:
    """Apply a network region by region, each with all the context that its outputs depend on.

    Regions are cut on the grid of positions; one at the border of the signal ends there, so the
    network pads it just as it would pad the whole.

    Args:
        network: maps (B, C, *axes) to (B, C', *axes), a whole number of samples for each position
            on either side.
        x: float (B, C, *axes), a whole number of samples for each position of the grid.
        grid: positions along each axis.
        side: positions of a region along each axis.
        reach: how many positions away an input can change an output; None if all depend on all.

    Returns:
        what `network(x)` returns.
    """
    if reach is None or all(n <= most for n, most in zip(grid, side, strict=True)):
        return network(x)
    samples = [size // n for size, n in zip(x.shape[2:], grid, strict=True)]
    whole: Tensor | None = None
    for region in cut(grid, side):
        outer = widen(region, reach, grid)
        y = network(x[:, :, *stretch(outer, samples)])
        scale = [size // n for size, n in zip(y.shape[2:], lengths(outer), strict=True)]
        if whole is None:
            shape = [n * factor for n, factor in zip(grid, scale, strict=True)]
            whole = y.new_empty((*y.shape[:2], *shape))
        whole[:, :, *stretch(region, scale)] = y[:, :, *stretch(inside(region, outer), scale)]
    assert whole is not None
    return whole
