"""Colours of a profile as sRGB, for files that cannot hold the profile."""

import io

from PIL import Image, ImageCms

__all__ = ["to_srgb"]


def to_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    """Return an image L, LA, RGB or RGBA with its colours converted from a profile to sRGB.

    It becomes RGB or RGBA; unchanged if the profile cannot be used.
    """
    colours = image.convert("L" if image.mode in ("L", "LA") else "RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(colours, profile, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    if converted is None:
        return image
    if image.mode in ("LA", "RGBA"):
        converted.putalpha(image.getchannel("A"))
    return converted
