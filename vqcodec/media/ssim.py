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
    from vqcodec.media.structure import ms_ssim_of_planes

    return float(ms_ssim_of_planes(_as_planes(picture), _as_planes(reference), span=255))


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
    """The channels as planes: float32 (C, H, W)."""
    import torch

    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    return torch.from_numpy(planes.astype(np.float32, order="C"))
