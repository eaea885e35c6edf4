"""MS-SSIM of tensors, which pictures are trained for and more than one medium is measured by."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

__all__ = ["ms_ssim_of_planes"]

# Wang, Simoncelli and Bovik 2003: the weight of each scale, finest first.
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _DEVIATION = 11, 1.5


def ms_ssim_of_planes(a: Tensor, b: Tensor, *, span: float) -> Tensor:
    """Multi-scale structural similarity, 1 for equal planes; the mean over all of them.

    Differentiable. Planes of fewer than 161 samples a side get as many scales as fit, their weights
    scaled to the same sum; see `ssim.ms_ssim`.

    Args:
        a, b: float (..., H, W), of at least 11 samples a side. span: from black to white.

    Returns:
        scalar, in [0, 1].

    >>> plane = torch.rand(2, 3, 15, 17)
    >>> round(float(ms_ssim_of_planes(plane, plane, span=1)), 5)
    1.0
    """
    side = min(a.shape[-2:])
    scales = max(1, sum(side > (_WINDOW - 1) * 2**scale for scale in range(len(_SCALE_WEIGHTS))))
    spread = sum(_SCALE_WEIGHTS) / sum(_SCALE_WEIGHTS[:scales])
    a, b = (planes.reshape(-1, 1, *planes.shape[-2:]) for planes in (a, b))
    value = a.new_ones(len(a))
    for scale, weight in enumerate(_SCALE_WEIGHTS[:scales]):
        luminance, contrast = _ssim_terms(a, b, span)
        last = scale == scales - 1
        term = (luminance * contrast if last else contrast).mean((-3, -2, -1)).relu()
        value = value * term ** (weight * spread)
        if not last:
            padding = [size % 2 for size in a.shape[-2:]]
            a, b = avg_pool2d(a, 2, padding=padding), avg_pool2d(b, 2, padding=padding)
    return value.mean()


def _ssim_terms(a: Tensor, b: Tensor, span: float) -> tuple[Tensor, Tensor]:
    """The luminance term and the contrast-structure term of SSIM at every window."""
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a = _blur(a * a) - mean_a * mean_a
    variance_b = _blur(b * b) - mean_b * mean_b
    covariance = _blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    contrast = (2 * covariance + c2) / (variance_a + variance_b + c2)
    return luminance, contrast


def _blur(planes: Tensor) -> Tensor:
    """Mean under a Gaussian window of 11 x 11 and deviation 1.5, where it fits: (C, 1, H', W')."""
    offsets = torch.arange(_WINDOW, dtype=planes.dtype, device=planes.device) - _WINDOW // 2
    window = torch.exp(-(offsets**2) / (2 * _DEVIATION**2))
    window = window / window.sum()
    return conv2d(conv2d(planes, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))
