"""The transparent colour of a PNG whose samples do not have eight bits."""

import numpy as np
from PIL import Image, ImageFile

__all__ = ["alpha_of_sixteen_bits", "is_sixteen_bit_colour", "scale_transparency"]

# What Pillow multiplies grey of two and four bits by; it leaves the transparent value as it is.
_STEPS = {"L;2": 85, "L;4": 17}
_SIXTEEN_BITS = "RGB;16B"
_LOW_BYTES = "RGB;16L"


def is_sixteen_bit_colour(image: Image.Image) -> bool:
    """Whether an image that is not loaded yet has 16-bit RGB samples and a transparent colour."""
    return _layout(image) == _SIXTEEN_BITS and "transparency" in image.info


def scale_transparency(image: Image.Image) -> None:
    """Turn the transparent value of an image that is not loaded yet into eight bits.

    Of 16-bit colours the high bytes decide, as they do over the samples.
    """
    layout, value = _layout(image), image.info.get("transparency")
    if layout in _STEPS and isinstance(value, int):
        image.info["transparency"] = value * _STEPS[layout] & 255
    elif layout == _SIXTEEN_BITS and isinstance(value, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in value)


def alpha_of_sixteen_bits(image: Image.Image, again: ImageFile.ImageFile) -> Image.Image:
    """Return the alpha plane of an image for which is_sixteen_bit_colour holds, all bits compared.

    again: the same file, opened once more and not loaded; Pillow gives one byte of two at a time.
    """
    again.tile = [tile._replace(args=_LOW_BYTES) for tile in again.tile]
    colour = np.array(image.info["transparency"])
    clear = np.asarray(image) == colour >> 8
    clear &= np.asarray(again) == colour & 255
    return Image.fromarray(np.where(clear.all(axis=2), 0, 255).astype(np.uint8))


def _layout(image: Image.Image) -> str | None:
    """How the samples of a PNG that is not loaded yet are laid out, by Pillow's name for it."""
    tile = getattr(image, "tile", None)
    args = tile[0].args if image.format == "PNG" and tile else None
    return args if isinstance(args, str) else None
