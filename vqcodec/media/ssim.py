"""Multi-scale structural similarity of pixels, which more than one medium is measured by.

Pixels are uint8, (height, width) or (height, width, channels), values 0 to 255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.workshop import decibels

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["WINDOW", "check_pair", "ms_ssim", "ms_ssim_db"]

Pixels = NDArray[np.uint8]

# Wang, Simoncelli and Bovik 2003: the weight of each scale, finest first.
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# What a side must have at least.
WINDOW = 11


def ms_ssim(picture: Pixels, reference: Pixels) -> float:
    """Multi-scale structural similarity, 1 for equal pictures; the mean over the channels.

    Five scales as in Wang, Simoncelli and Bovik 2003, which needs 161 pixels on the shorter side.
    A smaller picture gets as many scales as fit (4 from 81 pixels, 3 from 41, 2 from 21, 1 from
    11), their weights scaled to the same sum; such a value compares only with others of its kind.

    Raises:
        InputError: as `check_pair`; or the shorter side has fewer than 11 pixels.
    """
    check_pair(picture, reference)
    side = min(picture.shape[:2])
    if side < WINDOW:
        raise InputError(f"MS-SSIM needs {WINDOW} pixels on each side, got {picture.shape}")
    scales = max(1, sum(side > (WINDOW - 1) * 2**scale for scale in range(len(_SCALE_WEIGHTS))))

    from torch.nn.functional import avg_pool2d

    spread = sum(_SCALE_WEIGHTS) / sum(_SCALE_WEIGHTS[:scales])
    a, b = _as_planes(picture), _as_planes(reference)
    value = a.new_ones(a.shape[0])
    for scale, weight in enumerate(_SCALE_WEIGHTS[:scales]):
        luminance, contrast = _ssim_terms(a, b)
        last = scale == scales - 1
        term = (luminance * contrast if last else contrast).mean((-3, -2, -1)).relu()
        value = value * term ** (weight * spread)
        if not last:
            padding = [size % 2 for size in a.shape[-2:]]
            a, b = avg_pool2d(a, 2, padding=padding), avg_pool2d(b, 2, padding=padding)
    return float(value.mean())


def ms_ssim_db(value: float) -> float:
    """MS-SSIM on a logarithmic scale, -10 log10(1 - value) dB; inf for 1.

    >>> round(ms_ssim_db(0.99), 6)
    20.0
    """
    # Rounding can leave the value of equal pictures a little above 1.
    return decibels(0.0 if value > 1 else 1 - value)


def check_pair(picture: Pixels, reference: Pixels) -> None:
    """Raise InputError unless two pictures are uint8, of one shape and not empty."""
    if picture.shape != reference.shape:
        raise InputError(f"shapes differ: {picture.shape} and {reference.shape}")
    if picture.ndim not in (2, 3) or picture.size == 0:
        raise InputError(f"not a picture: {picture.shape = }")
    for pixels in (picture, reference):
        if pixels.dtype != np.uint8:
            raise InputError(f"pictures must be uint8, got {pixels.dtype}")


def _as_planes(pixels: Pixels) -> Tensor:
    """The channels as separate pictures: float32 (C, 1, H, W)."""
    import torch

    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    return torch.from_numpy(planes.astype(np.float32, order="C"))[:, None]


def _ssim_terms(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The luminance term and the contrast-structure term of SSIM at every window."""
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a = _blur(a * a) - mean_a * mean_a
    variance_b = _blur(b * b) - mean_b * mean_b
    covariance = _blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    contrast = (2 * covariance + c2) / (variance_a + variance_b + c2)
    return luminance, contrast


def _blur(planes: Tensor) -> Tensor:
    """Mean under a Gaussian window of 11 x 11 and deviation 1.5, where it fits: (C, 1, H', W')."""
    import torch
    from torch.nn.functional import conv2d

    offsets = torch.arange(WINDOW, dtype=planes.dtype) - WINDOW // 2
    window = torch.exp(-(offsets**2) / (2 * 1.5**2))
    window = window / window.sum()
    return conv2d(conv2d(planes, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))
