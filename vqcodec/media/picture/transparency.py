"""The transparent colour of a PNG whose samples do not have eight bits."""

from PIL import Image

__all__ = ["scale_transparency"]

# What Pillow multiplies grey of two and four bits by; it leaves the transparent value as it is.
_STEPS = {"L;2": 85, "L;4": 17}
_SIXTEEN_BITS = "RGB;16B"


def scale_transparency(image: Image.Image) -> None:
    """Turn the transparent value of an image that is not loaded yet into eight bits.

    Of 16-bit colours the high bytes decide, as they do over the samples.
    """
    layout, value = _layout(image), image.info.get("transparency")
    if layout in _STEPS and isinstance(value, int):
        image.info["transparency"] = value * _STEPS[layout] & 255
    elif layout == _SIXTEEN_BITS and isinstance(value, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in value)


def _layout(image: Image.Image) -> str | None:
    """How the samples of a PNG that is not loaded yet are laid out, by Pillow's name for it."""
    tile = getattr(image, "tile", None)
    args = tile[0].args if image.format == "PNG" and tile else None
    return args if isinstance(args, str) else None
