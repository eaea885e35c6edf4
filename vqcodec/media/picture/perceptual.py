"""SSIMULACRA2 as something that can be trained for."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from vqcodec.errors import MissingDependencyError

__all__ = ["published_weights", "ssimulacra2_distance"]

_SCALES = 6
_C2 = 0.0009
_SIGMA, _RADIUS = 1.5, 5
# Linear red, green and blue to what the three kinds of cones absorb, and what they do in the dark.
_ABSORBANCE = (
    (0.30, 0.622, 0.078),
    (0.23, 0.692, 0.078),
    (0.24342268924547819, 0.20476744424496821, 0.55180986650955359),
)
_DARK = 0.0037930732552754493
# A cube root is steep at zero: an absorbance below this changes nothing that could be seen.
_DARKEST = 1e-6
# Most of the published weights are zero, and the next smaller than this: nothing hangs on them.
_NEGLIGIBLE = 0.01


def ssimulacra2_distance(pixels: Tensor, original: Tensor) -> Tensor:
    """Give the weighted sum of differences that SSIMULACRA2 makes its score of.

    Differentiable; 0 for equal pictures, about 12 at 26 points, 6 at 51.

    Args:
        pixels, original: float (B, 3, H, W), sRGB in [0, 1]; the gradient reaches `pixels`.

    Returns:
        float32 scalar, the mean over pictures.

    Raises:
        MissingDependencyError: see `published_weights`.

    Source: Sneyers, SSIMULACRA 2 (libjxl, tools/ssimulacra2.cc).
    """
    ours, theirs = _linear(pixels), _linear(original)
    total = ours.new_zeros(())
    for scale, weights in enumerate(published_weights().unbind(1)):
        if scale:
            ours = functional.avg_pool2d(ours, 2, ceil_mode=True)
            theirs = functional.avg_pool2d(theirs, 2, ceil_mode=True)
        channels = (weights > _NEGLIGIBLE).any(1)
        if channels.any():
            differences = _differences(_xyb(ours)[:, channels], _xyb(theirs)[:, channels])
            total = total + (differences * weights[channels].to(total.device)).sum((1, 2)).mean()
    return total


@lru_cache
def published_weights() -> Tensor:
    """Weights of the differences, float32 (3 channels, 6 scales, 6 kinds).

    Raises:
        MissingDependencyError: the package ssimulacra2, which has them, is not installed.
    """
    try:
        from ssimulacra2.ssimulacra2 import weights
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "training for SSIMULACRA2 needs ssimulacra2: pip install 'vqcodec[train]'"
        ) from error
    return torch.tensor(weights, dtype=torch.float32).reshape(3, _SCALES, 6)


def _linear(rgb: Tensor) -> Tensor:
    """Undo the transfer curve of sRGB."""
    rgb = rgb.float()
    curve = ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(rgb <= 0.04045, rgb / 12.92, curve)


def _xyb(linear: Tensor) -> Tensor:
    """The colour space of JPEG XL, moved and stretched to be positive: X, Y, B - Y."""
    absorbed = torch.einsum("ij,bjhw->bihw", linear.new_tensor(_ABSORBANCE), linear) + _DARK
    roots = absorbed.clamp_min(_DARKEST) ** (1 / 3) - _DARK ** (1 / 3)
    long, middle, short = roots.unbind(1)
    luma = (long + middle) / 2
    return torch.stack([7 * (long - middle) + 0.42, luma + 0.01, short - luma + 0.55], 1)


def _differences(ours: Tensor, theirs: Tensor) -> Tensor:
    """Compare planes (B, C, H, W): (B, C, 6).

    Dissimilar structure, edges that were not there, and edges that are lost: their means, then
    their means of fourth powers, which see the worst places.
    """
    their_mean = _blur(theirs)
    our_mean, squares, product = _blur(
        torch.stack([ours, ours * ours + theirs * theirs, ours * theirs])
    )
    covariance = product - our_mean * their_mean
    variances = squares - our_mean.square() - their_mean.square()
    structure = (2 * covariance + _C2) / (variances + _C2)
    dissimilar = (1 - (1 - (our_mean - their_mean).square()) * structure).clamp_min(0)
    edges = (1 + (ours - our_mean).abs()) / (1 + (theirs - their_mean).abs()) - 1
    maps = torch.stack([dissimilar, edges.clamp_min(0), (-edges).clamp_min(0)], 2)
    # The root of nothing has no slope.
    worst = (maps**4).mean((3, 4)).clamp_min(1e-24) ** 0.25
    return torch.cat([maps.mean((3, 4)), worst], 2)


def _blur(planes: Tensor) -> Tensor:
    """A Gaussian over the last two axes, as products with banded matrices: few large operations.

    As the published program has it, rows are mirrored at their ends, columns of pixels fade out.
    """
    height, width = planes.shape[-2:]
    down = _gaussian_band(height, mirrored=True).to(planes)
    along = _gaussian_band(width, mirrored=False).to(planes)
    return down @ planes @ along.T


@lru_cache(maxsize=32)
def _gaussian_band(size: int, *, mirrored: bool) -> Tensor:
    """The blur of one axis, (size, size): outputs in rows."""
    steps = torch.arange(-_RADIUS, _RADIUS + 1)
    kernel = torch.exp(-steps.double().square() / (2 * _SIGMA**2))
    places = torch.arange(size)[:, None] + steps
    values = (kernel / kernel.sum()).expand(places.shape)
    if mirrored:
        places = places.remainder(2 * size)
        places = torch.minimum(places, 2 * size - 1 - places)
    else:
        values = values * ((places >= 0) & (places < size))
        places = places.clamp(0, size - 1)
    return torch.zeros(size, size, dtype=torch.float64).scatter_add(1, places, values).float()
