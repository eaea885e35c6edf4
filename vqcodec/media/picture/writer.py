"""Pixels to picture files, through Pillow."""

import io
import struct
from typing import Any

from PIL import Image

from vqcodec.errors import InputError
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.suffixes import FORMATS
from vqcodec.media.picture.tiff import write_tiff

__all__ = ["write_picture"]

_LONGEST_SIDE = {"png": 2**31 - 1, "jpeg": 65535, "webp": 16383, "tiff": 2**31 - 1}
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def write_picture(picture: Picture, *, format: str = "png", quality: int = 95) -> bytes:
    """Return the bytes of a picture file, with its colour profile and EXIF data.

    format: one of FORMATS; PNG and TIFF are lossless. quality: 1 to 100, for JPEG and
    WebP; 100 makes WebP lossless.
    Raises: InputError for another format or quality, for alpha in JPEG, and for sides or metadata
    that the format cannot hold.
    """
    _check(picture, format, quality)
    if format == "tiff":
        return write_tiff(picture)
    pixels = picture.pixels[:, :, 0] if picture.channels == 1 else picture.pixels
    image = Image.fromarray(pixels)
    if format == "webp" and picture.channels < 3:
        image = image.convert("RGB" if picture.channels == 1 else "RGBA")
    buffer = io.BytesIO()
    try:
        image.save(buffer, format, **_options(picture, format, quality))
    except (ValueError, OSError, struct.error, SyntaxError) as error:
        raise InputError(f"cannot write the picture as {format}: {error}") from error
    return buffer.getvalue()


def _check(picture: Picture, format: str, quality: int) -> None:
    """Raise InputError for what a format cannot hold."""
    if format not in FORMATS.values():
        known = ", ".join(dict.fromkeys(FORMATS.values()))
        raise InputError(f"unknown picture format {format!a}: use {known}")
    if not 1 <= quality <= 100:
        raise InputError(f"quality must be 1 to 100, got {quality}")
    if format == "jpeg" and picture.channels in (2, 4):
        raise InputError("JPEG has no alpha channel: write PNG, WebP or TIFF")
    if max(picture.width, picture.height) > _LONGEST_SIDE[format]:
        raise InputError(
            f"{format} holds at most {_LONGEST_SIDE[format]} pixels a side, "
            f"got {picture.width} x {picture.height}: write PNG or TIFF"
        )


def _options(picture: Picture, format: str, quality: int) -> dict[str, Any]:
    """Return the arguments that make Pillow write what is wanted."""
    by_format: dict[str, dict[str, Any]] = {
        "png": {},
        "jpeg": {"quality": quality, "subsampling": 0, "optimize": True},
        "webp": {"quality": quality, "lossless": quality == 100, "exact": True},
    }
    options = by_format[format]
    if picture.icc is not None:
        options["icc_profile"] = picture.icc
    if picture.exif is not None:
        options["exif"] = b"Exif\x00\x00" + picture.exif
    return options
