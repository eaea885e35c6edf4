"""How a change of the latent would change what it decodes to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vqcodec.transforms.base import Transform
from vqcodec.transforms.layout import from_patches, to_patches
from vqcodec.transforms.tiled import apply_tiled

__all__ = ["error_slope"]


def error_slope(
    transform: Transform, values: Tensor, samples: Tensor, *, side: Sequence[int]
) -> tuple[float, Tensor]:
    """Differentiate half the squared error of what is decoded by the quantized latent.

    Large signals go through the synthesis region by region, with bounded memory; what a region
    does to the samples of the next one within the reach of the network is counted there alone.

    Args:
        transform: a local one, with a stride for each axis of its grid.
        values: float32 (D, *positions), the vectors of the codes.
        samples: float32 (C, *extent), not larger than what is decoded; what lies beyond them does
            not count.
        side: positions of a region along each axis, as in `apply_tiled`.

    Returns:
        the squared error, and the slope of half of it, float32 (D, *positions).
    """
    dim, *grid = values.shape
    stride = transform.stride
    whole = [n * step for n, step in zip(grid, stride, strict=True)]
    target = samples.new_full((1, len(samples), *whole), torch.nan)
    inside = [slice(0, length) for length in samples.shape[1:]]
    target[0][:, *inside] = samples
    # Regions are cut from one tensor: each patch becomes the channels of its position.
    patches = to_patches(target, stride)

    def region(joint: Tensor) -> Tensor:
        latent = joint[:, :dim].detach().requires_grad_()
        wanted = from_patches(joint[:, dim:], stride)
        with torch.enable_grad():
            squares = (transform.synthesise(latent) - wanted).nan_to_num(0.0).square()
            (slope,) = torch.autograd.grad(squares.sum() / 2, latent)
        errors = to_patches(squares.detach(), stride).sum(1, keepdim=True)
        return torch.cat([slope, errors], 1)

    joint = torch.cat([values[None], patches], 1)
    found = apply_tiled(region, joint, grid=grid, side=side, reach=transform.synthesis_reach)[0]
    return float(found[dim].double().sum()), found[:dim]
