"""How a change of the latent would change what it decodes to."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vqcodec.transforms.tiled import apply_tiled

__all__ = ["error_slope"]


def error_slope(
    synthesis: Callable[[Tensor], Tensor],
    values: Tensor,
    image: Tensor,
    *,
    stride: int,
    side: int,
    reach: int,
) -> tuple[float, Tensor]:
    """Differentiate half the squared error of the decoded picture by the quantized latent.

    Large pictures go through the synthesis tile by tile, with bounded memory; what a tile does to
    the pixels of the next one within the reach of the network is counted there alone.

    Args:
        synthesis: maps (1, D, h, w) to pixels (1, C, h * stride, w * stride).
        values: float32 (D, rows, columns), the vectors of the codes.
        image: float32 (C, H, W), not larger than what is decoded; pixels beyond it do not count.
        stride: pixels per position, in either direction.
        side, reach: as in `apply_tiled`, in positions.

    Returns:
        the squared error, and the slope of half of it, float32 (D, rows, columns).
    """
    dim, rows, columns = values.shape
    target = image.new_full((1, image.shape[0], rows * stride, columns * stride), torch.nan)
    target[0, :, : image.shape[1], : image.shape[2]] = image
    # The tiles are cut from one tensor: each patch of pixels becomes the channels of its position.
    patches = torch.nn.functional.pixel_unshuffle(target, stride)

    def tile(joint: Tensor) -> Tensor:
        latent = joint[:, :dim].detach().requires_grad_()
        pixels = torch.nn.functional.pixel_shuffle(joint[:, dim:], stride)
        with torch.enable_grad():
            squares = (synthesis(latent) - pixels).nan_to_num(0.0).square()
            (slope,) = torch.autograd.grad(squares.sum() / 2, latent)
        errors = torch.nn.functional.pixel_unshuffle(squares.detach(), stride).sum(1, keepdim=True)
        return torch.cat([slope, errors], 1)

    joint = torch.cat([values[None], patches], 1)
    found = apply_tiled(tile, joint, grid=(rows, columns), side=side, reach=reach)[0]
    return float(found[dim].double().sum()), found[:dim]
