"""From the many ways in which files store colours to grey or RGB, with or without alpha.

What happens to each is part of the contract, see convert_image.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vqcodec.errors import InputError

__all__ = ["bands_of_image", "convert_image", "keeps_profile"]

_OPAQUE = {"1": "L", "L": "L", "RGB": "RGB", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
_WITH_ALPHA = {"LA": "LA", "La": "LA", "PA": "RGBA", "RGBA": "RGBA", "RGBa": "RGBA"}
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_BAND_ROWS = 256
_REASONS = {
    "F": "floating-point samples",
    "I": "32-bit samples",
    "LAB": "Lab colours",
    "HSV": "HSV colours",
}


def convert_image(image: Image.Image) -> NDArray[Any]:
    """Return the pixels of a loaded Pillow image, uint8 or uint16 (H, W, C), C as in Picture.

    1-bit becomes 0 and 255; a palette its colours; one transparent colour or a palette's
    transparency becomes an alpha channel; premultiplied alpha is divided out; CMYK and YCbCr
    become RGB by Pillow's formula, without a profile; 16-bit grey stays as it is (Pillow gives
    16-bit colour as its high bytes, see `sixteen_bits`).
    Raises: InputError for floating-point, 32-bit, Lab and HSV pictures.
    """
    if image.mode in _SIXTEEN_BIT or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return _convert_sixteen_bit(image)
    has_transparency = image.has_transparency_data
    if image.mode == "P":
        mode = "RGBA" if has_transparency else "RGB"
    elif image.mode in _WITH_ALPHA:
        mode = _WITH_ALPHA[image.mode]
    elif image.mode in _OPAQUE:
        mode = _OPAQUE[image.mode]
        if has_transparency and image.mode in ("1", "L", "RGB"):
            mode += "A"
    else:
        reason = _REASONS.get(image.mode, f"mode {image.mode}")
        raise InputError(f"the picture has {reason}, which cannot be encoded: convert it first")
    pixels = np.empty((image.height, image.width, len(mode)), np.uint8)
    for top, band in bands_of_image(image):
        converted = band if band.mode == mode else band.convert(mode)
        rows = pixels[top : top + band.height]
        rows[:] = np.asarray(converted).reshape(rows.shape)
    return pixels


def bands_of_image(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """The rows of a loaded image, some at a time: all at once NumPy takes twice the memory."""
    for top in range(0, image.height, _BAND_ROWS):
        yield top, image.crop((0, top, image.width, min(top + _BAND_ROWS, image.height)))


def keeps_profile(image: Image.Image) -> bool:
    """Whether the colour profile still fits after convert_image."""
    return image.mode != "CMYK"


def _convert_sixteen_bit(image: Image.Image) -> NDArray[np.uint16]:
    """Return 16-bit grey as (H, W, 1), or (H, W, 2) if one value is declared transparent."""
    samples = np.asarray(image).astype(np.uint16)
    planes = [samples]
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        planes.append(np.where(samples == transparent, 0, 65535).astype(np.uint16))
    return np.stack(planes, axis=-1)
