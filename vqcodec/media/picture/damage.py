"""What restoring encoders learn to undo: noise, blur, JPEG, too few pixels."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor
from torch.nn import functional

from vqcodec.media.damage import Damage

__all__ = ["DAMAGES", "add_noise", "through_jpeg"]

# A JPEG that was cropped has its blocks elsewhere than the codec; one in so many is.
_SHIFTED = 4


def add_noise(samples: Tensor, sigma: float, random: Generator) -> Tensor:
    """Independent Gaussian noise of a standard deviation in steps of 255; in eight bits again.

    samples: float (C, H, W) in [0, 1].
    """
    noise = random.standard_normal(tuple(samples.shape), np.float32)
    return _eight_bits(samples + torch.from_numpy(noise) * (sigma / 255))


def through_jpeg(samples: Tensor, quality: float, random: Generator) -> Tensor:
    """What a JPEG of a quality (1 to 95, Pillow's, 4:2:0) leaves of samples (3, H, W).

    Most of the time its blocks begin where those of the codec do.
    """
    pixels = (samples * 255).round().byte().permute(1, 2, 0).numpy()
    shift = tuple(random.integers(8, size=2)) if random.integers(_SHIFTED) == 0 else (0, 0)
    padded = np.pad(pixels, ((shift[0], 0), (shift[1], 0), (0, 0)), mode="edge")
    file = io.BytesIO()
    Image.fromarray(padded).save(file, "jpeg", quality=round(quality))
    decoded = np.array(Image.open(file))[shift[0] :, shift[1] :]
    return torch.from_numpy(decoded).permute(2, 0, 1).float() / 255


def _blur(samples: Tensor, sigma: float, random: Generator) -> Tensor:
    """A Gaussian blur of a standard deviation in pixels."""
    reach = math.ceil(3 * sigma)
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma).square())
    taps = taps / taps.sum()
    channels = len(samples)
    blurred = samples[None]
    for shape, pad in (
        ((1, 1, -1, 1), (0, 0, reach, reach)),
        ((1, 1, 1, -1), (reach, reach, 0, 0)),
    ):
        kernel = taps.reshape(shape).repeat(channels, 1, 1, 1)
        blurred = functional.pad(blurred, pad, mode="replicate")
        blurred = functional.conv2d(blurred, kernel, groups=channels)
    return _eight_bits(blurred[0])


def _downscale(samples: Tensor, factor: float, random: Generator) -> Tensor:
    """Fewer pixels by a factor along each side, enlarged again."""
    height, width = samples.shape[1:]
    small = max(1, round(height / factor)), max(1, round(width / factor))
    options: dict[str, Any] = {"mode": "bicubic", "antialias": True, "align_corners": False}
    fewer = _eight_bits(functional.interpolate(samples[None], small, **options))
    return _eight_bits(functional.interpolate(fewer, (height, width), **options)[0])


def _eight_bits(samples: Tensor) -> Tensor:
    return (samples.clamp(0, 1) * 255).round() / 255


DAMAGES: Mapping[str, Damage] = {
    "noise": Damage("standard deviation in steps of 255", (5, 55), (0, 255), add_noise),
    "jpeg": Damage("quality of the JPEG", (8, 60), (1, 95), through_jpeg),
    "blur": Damage("standard deviation in pixels", (0.5, 3), (0.1, 16), _blur),
    "downscale": Damage("pixels that become one, along a side", (2, 2), (1, 8), _downscale),
}
