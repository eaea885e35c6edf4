"""Pillow, as it is used here: which files it opens, and what it says when it cannot."""

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import IO, BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from vqcodec.errors import InputError, LimitError, MissingDependencyError, VqcodecError
from vqcodec.media.picture.code_points import find_nclx
from vqcodec.media.picture.jxl import is_jxl
from vqcodec.media.picture.png import split_png
from vqcodec.media.picture.suffixes import is_heic

__all__ = ["load_image", "name_errors", "need_jxl", "open_image", "open_unread", "quiet"]

# Formats that are told by their first bytes and read without an external program.
_FORMATS = (
    *("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF"),
    *("BMP", "DIB", "PPM", "JPEG2000", "QOI", "ICO"),
)

# Pillow's readers and writers raise all of these, a different one for each format.
_PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError),
    *(ArithmeticError, AttributeError, AssertionError, struct.error, zlib.error, Warning),
    Image.DecompressionBombError,
)

_ICON = b"\x00\x00\x01\x00"
# Pillow warns of more, and refuses more than twice as many.
_ICON_PIXELS = 2**20

_pillow_state = threading.Lock()


@contextmanager
def name_errors(says: str) -> Iterator[None]:
    """Turn what Pillow raises into an InputError that says so, and why."""
    try:
        yield
    except VqcodecError:
        raise
    except _PILLOW_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{says}: {reason}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings: Pillow looks into EXIF data, and where that is damaged pixels are not."""
    # Filters are of the process: of two threads that change them one would restore the other's.
    with _pillow_state, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_image(data: bytes) -> ImageFile.ImageFile:
    """Open without decoding, and without Pillow's own limit: the caller checks the size next.

    JPEG XL is decoded at once, see jxl_size, and so are icons.
    Raises: LimitError for an icon of more than 2**21 pixels; InputError for what is no picture;
    MissingDependencyError if a plug-in is missing.
    """
    Image.init()
    data, facts = split_png(data)
    # A build of Pillow may lack a library; a multi-picture JPEG opens as a JPEG.
    formats = [name for name in (*_FORMATS, *_plug_in(data)) if name in Image.OPEN]
    # Pillow decodes an icon when it opens it, whose directory has one byte for a side.
    most = _ICON_PIXELS if data[:4] == _ICON else None
    try:
        image = _open(io.BytesIO(data), formats, most)
    except Image.DecompressionBombError as error:
        raise LimitError(f"an icon has at most {2 * _ICON_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        hint = "already a vqcodec file" if data[:3] == b"\x89VQ" else "not a picture that is known"
        raise InputError(hint) from error
    if image.format in ("AVIF", "HEIF") and (nclx := find_nclx(data)):
        facts["cicp"] = nclx
    image.info.update(facts)
    return image


def load_image(image: Image.Image) -> None:
    """Decode the pixels of an image, if they are not yet."""
    # Pillow reads the EXIF directories of a TIFF once more with its pixels.
    with quiet() if image.format == "TIFF" else nullcontext():
        image.load()


def open_unread(file: BinaryIO, format: str) -> ImageFile.ImageFile:
    """Open a JPEG or TIFF, of any size, where it stands; its pixels are not read.

    Raises: InputError for what is none.
    """
    Image.init()
    with name_errors("not a picture that is known"):
        return _open(file, [format], None)


def _open(file: IO[bytes], formats: list[str], most: int | None) -> ImageFile.ImageFile:
    """Open with another limit of pixels than Pillow has for the process, or none."""
    with quiet():
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = most
        try:
            return Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = before


def need_jxl() -> None:
    """Let Pillow know JPEG XL. Raises: MissingDependencyError without its plug-in."""
    _need("pillow_jxl", "JPEG XL", "pillow-jxl-plugin")


def _plug_in(data: bytes) -> list[str]:
    """Load the plug-in that a file needs; return the name that Pillow knows its format by."""
    if is_jxl(data):
        need_jxl()
        return ["JXL"]
    if is_heic(data):
        _need("pillow_heif", "HEIC", "pillow-heif")
        import_module("pillow_heif").register_heif_opener()
        return ["HEIF"]
    return []


def _need(module: str, format: str, package: str) -> None:
    """Import a plug-in of Pillow."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(f"{format} needs {package}: pip install {package}") from error
