"""Pixels to picture files, through Pillow."""

import io
from contextlib import nullcontext
from typing import Any

from PIL import Image

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.picture.channels import has_alpha
from vqcodec.media.picture.colours import to_srgb
from vqcodec.media.picture.directories import first_directory
from vqcodec.media.picture.exif import remove_orientation
from vqcodec.media.picture.pillow_files import name_errors, need_jxl, quiet
from vqcodec.media.picture.png_rows import write_png
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.suffixes import FORMATS
from vqcodec.media.picture.tiff import write_tiff

__all__ = ["OWN_WRITERS", "check_format", "write_picture"]

# What is written here, and not by Pillow: all TIFF, and what has sixteen bits.
OWN_WRITERS = {"tiff": write_tiff, "png": write_png}

_LONGEST_SIDE = {"jpeg": 65535, "webp": 16383, "avif": 65536, "jxl": 2**30 - 1}
_LONGEST = 2**31 - 1
_WITHOUT_PROFILE = ("bmp", "jxl")
_WITHOUT_ALPHA = {"jpeg": "JPEG", "bmp": "BMP"}


def write_picture(picture: Picture, *, format: str = "png", quality: int = 95) -> bytes:
    """Return the bytes of a picture file, with its colour profile and EXIF data.

    format: one of FORMATS; PNG, TIFF and BMP are lossless, and the first two hold sixteen bits. BMP
    holds neither profile nor EXIF, and JPEG XL is written without a profile: colours are converted
    to sRGB. AVIF and TIFF go without EXIF data that has no directory. quality: 1 to 100, for JPEG,
    WebP, AVIF and JPEG XL; 100 makes WebP and JPEG XL lossless.
    Raises: InputError for another format or quality, for alpha in JPEG and BMP, and for bits, sides
    or metadata that the format cannot hold; MissingDependencyError for JPEG XL without
    pillow-jxl-plugin, and for AVIF if Pillow was built without it.
    """
    _check(picture, format, quality)
    buffer = io.BytesIO()
    if format == "tiff" or picture.bits > 8:
        OWN_WRITERS[format](
            buffer,
            [picture.pixels],
            extent=picture.extent,
            channels=picture.channels,
            bits=picture.bits,
            icc=picture.icc,
            exif=picture.exif,
        )
        return buffer.getvalue()
    pixels = picture.pixels[:, :, 0] if picture.channels == 1 else picture.pixels
    image = Image.fromarray(pixels)
    _need_writer(format)
    if format == "webp" and picture.channels < 3:
        image = image.convert("RGB" if picture.channels == 1 else "RGBA")
    if format in _WITHOUT_PROFILE and picture.icc is not None:
        image = to_srgb(image, picture.icc)
    silence = quiet() if format == "avif" else nullcontext()
    with name_errors(f"cannot write the picture as {format}"), silence:
        image.save(buffer, format, **_options(picture, format, quality))
    return buffer.getvalue()


def check_format(format: str, *, channels: int, bits: int) -> None:
    """Raise InputError for a format that is not written, or not with such samples."""
    if format not in FORMATS.values():
        known = ", ".join(dict.fromkeys(FORMATS.values()))
        raise InputError(f"unknown picture format {format!a}: use {known}")
    if format in _WITHOUT_ALPHA and has_alpha(channels):
        raise InputError(f"{_WITHOUT_ALPHA[format]} has no alpha channel: write PNG, WebP or TIFF")
    if bits > 8 and format not in OWN_WRITERS:
        raise InputError(f"{format} is written with eight bits, not {bits}: write PNG or TIFF")


def _check(picture: Picture, format: str, quality: int) -> None:
    """Raise InputError for what a format cannot hold."""
    check_format(format, channels=picture.channels, bits=picture.bits)
    if not 1 <= quality <= 100:
        raise InputError(f"quality must be 1 to 100, got {quality}")
    longest = _LONGEST_SIDE.get(format, _LONGEST)
    if max(picture.width, picture.height) > longest:
        raise InputError(
            f"{format} holds at most {longest} pixels a side, "
            f"got {picture.width} x {picture.height}: write PNG or TIFF"
        )


def _need_writer(format: str) -> None:
    """Raise MissingDependencyError for a format that Pillow cannot write here."""
    if format == "jxl":
        need_jxl()
    Image.init()
    if format.upper() not in Image.SAVE:
        raise MissingDependencyError(
            f"this Pillow was built without {format}: pip install -U pillow"
        )


def _options(picture: Picture, format: str, quality: int) -> dict[str, Any]:
    """Return the arguments that make Pillow write what is wanted."""
    by_format: dict[str, dict[str, Any]] = {
        "png": {},
        "jpeg": {"quality": quality, "subsampling": 0, "optimize": True},
        "webp": {"quality": quality, "lossless": quality == 100, "exact": True},
        "avif": {"quality": quality, "subsampling": "4:2:0" if quality < 80 else "4:4:4"},
        "jxl": {"quality": quality, "lossless": quality == 100, "use_container": True},
        "bmp": {},
    }
    options = by_format[format]
    if picture.icc is not None and format not in _WITHOUT_PROFILE:
        options["icc_profile"] = picture.icc
    exif = picture.exif
    if exif is not None and format == "avif":
        # Pillow reads it for its orientation, and would write it anew if it found one.
        exif = remove_orientation(exif) if first_directory(exif) else None
    if exif is not None and format != "bmp":
        options["exif"] = b"Exif\x00\x00" + exif
    return options
