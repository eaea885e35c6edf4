"""How good a picture is.

The functions take pixels: uint8, (height, width) or (height, width, channels), values 0 to 255;
`MEASURES` are the same ones, of pictures.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.picture.signal import Picture
from vqcodec.media.ssim import WINDOW, check_pair, ms_ssim, ms_ssim_db
from vqcodec.media.workshop import Measure, decibels

__all__ = ["MEASURES", "ms_ssim", "ms_ssim_db", "psnr", "ssimulacra2"]

Pixels = NDArray[np.uint8]

_SSIMULACRA2_SIDE = 8


def psnr(picture: Pixels, reference: Pixels) -> float:
    """Peak signal-to-noise ratio over all values of all channels, in dB; inf for equal pictures.

    Raises:
        InputError: shapes differ, a picture is empty or not uint8.

    >>> black = np.zeros((2, 2, 3), np.uint8)
    >>> psnr(black + np.uint8(51), black)
    13.97...
    """
    check_pair(picture, reference)
    difference = picture.astype(np.int32) - reference.astype(np.int32)
    error = float(np.mean(np.square(difference), dtype=np.float64))
    return decibels(error / 255**2)


def ssimulacra2(picture: Pixels, reference: Pixels) -> float:
    """SSIMULACRA2 of RGB pictures: 100 for equal ones, 70 high quality, 30 low; may be negative.

    Computed by the package ssimulacra2, a port of libjxl's program to NumPy. Its six scales need
    225 pixels on each side; a smaller picture gets fewer, and such a value compares only with
    others of its kind.

    Raises:
        InputError: as `psnr`; or not (H, W, 3) with at least 8 pixels on each side.
        MissingDependencyError: the package is not installed.
    """
    try:
        from ssimulacra2 import compute_ssimulacra2
    except ImportError as error:
        missing = "SSIMULACRA2 needs ssimulacra2: pip install 'vqcodec[eval]'"
        raise MissingDependencyError(missing) from error
    check_pair(picture, reference)
    if picture.shape[2:] != (3,) or min(picture.shape[:2]) < _SSIMULACRA2_SIDE:
        raise InputError(f"SSIMULACRA2 needs RGB of 8 x 8 pixels or more, got {picture.shape}")
    # The package reads files only.
    return float(compute_ssimulacra2(_as_file(reference), _as_file(picture)))


def _as_file(pixels: Pixels) -> io.BytesIO:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="BMP")
    file.seek(0)
    return file


def _of_pixels(measure: Callable[[Pixels, Pixels], float]) -> Callable[[Picture, Picture], float]:
    return lambda decoded, original: measure(decoded.pixels, original.pixels)


MEASURES: tuple[Measure, ...] = (
    Measure(name="psnr", of=_of_pixels(psnr), title="PSNR", unit="dB", low=0),
    Measure(
        name="ms-ssim",
        of=_of_pixels(ms_ssim),
        of_mean=ms_ssim_db,
        title="MS-SSIM",
        unit="dB",
        low=0,
        high=1,
        smallest=WINDOW,
    ),
    Measure(
        name="ssimulacra2",
        of=_of_pixels(ssimulacra2),
        title="SSIMULACRA2",
        decimals=1,
        high=100,
        smallest=_SSIMULACRA2_SIDE,
        package="ssimulacra2",
    ),
)
