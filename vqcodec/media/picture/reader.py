"""Picture files to pixels, by content and never by name, through Pillow."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image, ImageFile

from vqcodec.errors import InputError, LimitError
from vqcodec.media.picture.code_points import profile_of_facts
from vqcodec.media.picture.exif import (
    apply_orientation,
    find_orientation,
    reset_orientation,
    strip_exif_prefix,
    swap_sizes,
)
from vqcodec.media.picture.icc import fits_channels
from vqcodec.media.picture.jxl import is_jxl, jxl_size
from vqcodec.media.picture.memory import default_max_pixels
from vqcodec.media.picture.modes import convert_image, keeps_profile
from vqcodec.media.picture.pillow_files import load_image, name_errors, open_image
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.sixteen_bits import is_sixteen_bit_colour, read_sixteen_bits
from vqcodec.media.picture.transparency import scale_transparency

__all__ = ["check_size", "facts_of", "picture_from_pillow", "read_picture"]

_DAMAGED = "the picture is damaged or cut off"


def read_picture(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview,
    *,
    max_pixels: int | None = None,
) -> Picture:
    """Read a picture from a path, or from the bytes of a file.

    Reads PNG, JPEG, WebP, AVIF, TIFF, GIF, BMP, PPM, JPEG 2000, QOI and ICO; HEIC where pillow-heif
    is installed, JPEG XL where pillow-jxl-plugin is. EXIF orientation is applied; the colour
    profile and EXIF data are kept (EXIF not from TIFF, whose tags describe the file). Colours that
    a file tells without a profile (cICP, nclx, gAMA, cHRM) become one; a profile for other colours
    than the pixels have is left out. Sixteen bits are kept of PNG, TIFF and grey PGM and JPEG 2000,
    of which all else gives eight. XMP, texts and a resolution outside of EXIF are not kept.
    convert_image tells what becomes of colours.
    max_pixels: by default what half of the memory here encodes, at most 2**28; an icon has at most
    2**21 in any case.
    Raises: OSError if the path cannot be read; LimitError, before anything is decoded, if the
    picture has more than max_pixels; InputError if the bytes are not one whole picture;
    MissingDependencyError if a plug-in of Pillow is missing.
    """
    data = _read_bytes(source)
    if max_pixels is None:
        max_pixels = default_max_pixels()
    if is_jxl(data):
        check_size(*jxl_size(data), max_pixels)
    with name_errors(_DAMAGED), open_image(data) as image:
        check_size(image.width, image.height, max_pixels)
        # A multi-picture JPEG is one photograph, with previews or a second view behind it.
        frames = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
        if frames > 1:
            raise InputError(
                f"the file holds {frames} pictures or frames: extract one of them first"
            )
        return _convert(image, data)


def _read_bytes(source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> bytes:
    """Return the bytes of a file that is given by path or by content."""
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        data = Path(source).read_bytes()
    else:
        raise InputError(f"a picture file is a path or bytes, got {type(source).__name__}")
    if not data:
        raise InputError("empty file")
    return data


def picture_from_pillow(image: Image.Image) -> Picture:
    """Return the picture in a Pillow image, orientation applied, metadata kept.

    Of an animation it is the frame that the image stands at: `image.seek(n)`.
    Raises: InputError for a colour mode that cannot be encoded, and for an image that is not
    loaded yet and whose file is damaged, cut off or closed.
    """
    with name_errors(_DAMAGED):
        return _convert(image)


def _convert(image: Image.Image, data: bytes | None = None) -> Picture:
    """Return the picture in an image, loaded if it is not yet.

    data: of the file that it was opened from; without them colour has eight bits.
    """
    pixels = _pixels_of(image, data)
    icc, exif = facts_of(image, pixels.shape[2])
    if exif is not None:
        orientation = find_orientation(exif)
        pixels = apply_orientation(pixels, orientation)
        exif = reset_orientation(swap_sizes(exif) if orientation >= 5 else exif)
    return Picture(pixels, icc=icc, exif=exif)


def _pixels_of(image: Image.Image, data: bytes | None) -> NDArray[Any]:
    if data is not None and isinstance(image, ImageFile.ImageFile) and is_sixteen_bit_colour(image):
        return read_sixteen_bits(image, partial(open_image, data))
    scale_transparency(image)
    load_image(image)
    return convert_image(image)


def facts_of(image: Image.Image, channels: int) -> tuple[bytes | None, bytes | None]:
    """Return the profile that fits the pixels made from an image, and its EXIF data as it stands.

    Of a PNG that is not loaded yet, EXIF data behind the pixels is not there.
    """
    exif = image.info.get("exif")
    exif = strip_exif_prefix(exif) if isinstance(exif, bytes) and exif else None
    if image.format == "TIFF":
        exif = None
    return _profile_of(image, channels), exif or None


def _profile_of(image: Image.Image, channels: int) -> bytes | None:
    """Return the profile that fits the pixels made from an image, None if they are sRGB."""
    icc = image.info.get("icc_profile")
    if isinstance(icc, bytes) and icc:
        return icc if keeps_profile(image) and fits_channels(icc, channels) else None
    return profile_of_facts(image.info, grey=channels < 3)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise LimitError for a picture with more pixels than allowed."""
    if width * height > max_pixels:
        raise LimitError(
            f"the picture has {width} x {height} pixels, more than the limit of {max_pixels}",
            argument="max_samples",
        )
