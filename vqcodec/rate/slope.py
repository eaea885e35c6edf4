"""How a change of the latent would change what it decodes to."""

from __future__ import annotations

import torch
from torch import Tensor

from vqcodec.transforms.base import Transform

__all__ = ["error_slope"]


def error_slope(transform: Transform, values: Tensor, samples: Tensor) -> tuple[float, Tensor]:
    """Differentiate half the squared error of what is decoded by the quantized latent.

    Args:
        transform: a local one, with a stride for each axis of its grid.
        values: float32 (D, *positions), the vectors of the codes.
        samples: float32 (C, *extent), not larger than what is decoded; what lies beyond them and
            what is NaN does not count.

    Returns:
        the squared error, and the slope of half of it, float32 (D, *positions).
    """
    latent = values[None].detach().requires_grad_()
    with torch.enable_grad():
        inside = [slice(0, length) for length in samples.shape[1:]]
        decoded = transform.synthesise(latent)[0][:, *inside]
        squares = (decoded - samples).nan_to_num(0.0).square()
        (slope,) = torch.autograd.grad(squares.sum() / 2, latent)
    return float(squares.detach().double().sum()), slope[0]
