"""Picture files to pixels, by content and never by name, through Pillow."""

import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError

from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.errors import InputError, LimitError
from vqcodec.media.picture.exif import (
    apply_orientation,
    find_orientation,
    reset_orientation,
    strip_exif_prefix,
    swap_sizes,
)
from vqcodec.media.picture.modes import convert_image, keeps_profile
from vqcodec.media.picture.png import split_png
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.transparency import (
    alpha_of_sixteen_bits,
    is_sixteen_bit_colour,
    scale_transparency,
)

__all__ = ["picture_from_pillow", "read_picture"]

# Formats that are told by their first bytes and read without an external program.
_FORMATS = (
    *("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF"),
    *("BMP", "DIB", "PPM", "JPEG2000", "QOI", "ICO"),
)

# Pillow's readers raise all of these for damaged files, a different one for each format.
_PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError),
    *(OverflowError, AttributeError, struct.error, zlib.error, Warning),
    Image.DecompressionBombError,
)

_pillow_state = threading.Lock()


def read_picture(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview,
    *,
    max_pixels: int = DEFAULT_LIMITS.max_samples,
) -> Picture:
    """Read a picture from a path, or from the bytes of a file.

    Reads PNG, JPEG, WebP, AVIF, TIFF, GIF, BMP, PPM, JPEG 2000, QOI and ICO. EXIF orientation is
    applied; the colour profile and EXIF data are kept (EXIF not from TIFF, whose tags describe
    the file); XMP, texts and a resolution outside of EXIF are not. convert_image tells what
    becomes of colours.
    Raises: OSError if the path cannot be read; LimitError, before anything is decoded, if the
    picture has more than max_pixels; InputError if the bytes are not one whole picture.
    """
    data = _read_bytes(source)
    try:
        with _open(data) as image:
            _check_size(image, max_pixels)
            if is_sixteen_bit_colour(image):
                with _open(data) as again:
                    image.putalpha(alpha_of_sixteen_bits(image, again))
            return picture_from_pillow(image)
    except (InputError, LimitError):
        raise
    except UnidentifiedImageError as error:
        hint = "already a vqcodec file" if data[:3] == b"\x89VQ" else "not a picture that is known"
        raise InputError(hint) from error
    except _PILLOW_ERRORS as error:
        raise InputError(f"the picture is damaged or cut off: {_one_line(error)}") from error


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

    Raises: InputError for an animation or a colour mode that cannot be encoded.
    """
    # A multi-picture JPEG is one photograph, with previews or a second view behind it.
    frames = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
    if frames > 1:
        raise InputError(f"the file holds {frames} pictures or frames: extract one of them first")
    scale_transparency(image)
    # Pillow reads the EXIF directories of a TIFF once more with its pixels.
    with _quiet() if image.format == "TIFF" else nullcontext():
        image.load()
    pixels = convert_image(image)
    exif = image.info.get("exif")
    exif = strip_exif_prefix(exif) if isinstance(exif, bytes) and exif else None
    if image.format == "TIFF":
        exif = None
    if exif is not None:
        orientation = find_orientation(exif)
        pixels = apply_orientation(pixels, orientation)
        exif = reset_orientation(swap_sizes(exif) if orientation >= 5 else exif)
    icc = image.info.get("icc_profile")
    keep = isinstance(icc, bytes) and icc and keeps_profile(image)
    return Picture(pixels, icc=icc if keep else None, exif=exif or None)


def _open(data: bytes) -> ImageFile.ImageFile:
    """Open without decoding, and without Pillow's own limit: the caller's one is checked next."""
    Image.init()
    data, facts = split_png(data)
    # A build of Pillow may lack a library; a multi-picture JPEG opens as a JPEG.
    formats = [name for name in _FORMATS if name in Image.OPEN]
    with _quiet():
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            image = Image.open(io.BytesIO(data), formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = before
    image.info.update(facts)
    return image


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings: Pillow looks into EXIF data, and where that is damaged pixels are not."""
    # Filters are of the process: of two threads that change them one would restore the other's.
    with _pillow_state, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_size(image: Image.Image, max_pixels: int) -> None:
    """Raise LimitError for a picture with more pixels than allowed."""
    if image.width * image.height > max_pixels:
        raise LimitError(
            f"the picture has {image.width} x {image.height} pixels, "
            f"more than the limit of {max_pixels}"
        )


def _one_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its kind if it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]
