"""Large PNG, JPEG and TIFF files, read by rows through libvips; what they say is left to Pillow.

Pillow decodes a picture whole, at 7 bytes for a pixel, and libvips a row of tiles at a time. Both
stand on the same libraries and give the same pixels. Where the package pyvips is missing, and for
all that libvips would hold whole itself or give in another way, there is Pillow.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError
from vqcodec.media.picture.exif import find_orientation, strip_exif_prefix
from vqcodec.media.picture.large import is_large
from vqcodec.media.picture.pillow_files import open_image, open_unread
from vqcodec.media.picture.png import head_of_png
from vqcodec.media.picture.reader import check_size, facts_of
from vqcodec.media.picture.rows import PictureRows

__all__ = ["rows_of_file"]

_BEGINNINGS = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"II": "TIFF", b"MM": "TIFF"}
_CHANNELS = {"L": 1, "RGB": 3}
_BAND_ROWS = 128
# Tags of a TIFF, and what they are where it is read by rows.
_PLAIN_TIFF: dict[int, set[Any]] = {
    258: {(8,), (8, 8, 8)},
    262: {1, 2, 6},
    266: {1},
    274: {1},
    284: {1},
}


def rows_of_file(path: str, limits: Limits) -> PictureRows | None:
    """The picture in a file, read as its rows are asked for; None where it is to be read whole.

    That is one of at most 2**25 pixels, with alpha, a palette or other than eight bits, turned by
    its EXIF data, interlaced or progressive, in colours other than grey and RGB; one that is
    damaged before its pixels begin; and any without pyvips.
    Raises: LimitError for more pixels than allowed; while rows are drawn, InputError that names the
    file if it is damaged, ends early or has changed.
    """
    try:
        with open(path, "rb") as file:
            image = _opened(file)
            if image is None or not is_large((image.height, image.width)):
                return None
            plain = _is_plain(image)
            icc, exif = facts_of(image, _CHANNELS.get(image.mode, 0))
    except (OSError, InputError):
        # Read whole it says what is wrong with it.
        return None
    if not plain or not _has_libvips():
        return None
    check_size(image.width, image.height, limits.max_samples)
    extent, channels = (image.height, image.width), _CHANNELS[image.mode]
    rows = _Bands(path, (*extent, channels))
    return PictureRows(rows, extent=extent, channels=channels, icc=icc, exif=exif)


class _Bands:
    """The rows of a file, read anew from the top each time."""

    def __init__(self, path: str, shape: tuple[int, int, int]) -> None:
        self._path, self._shape = path, shape

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        import pyvips

        height, width, channels = self._shape
        try:
            image = pyvips.Image.new_from_file(self._path, access="sequential", fail_on="error")
            found = (image.height, image.width, image.bands)
            if found != self._shape or image.format != "uchar":
                raise InputError(f"{self._path}: is not the picture any more that it was")
            region = pyvips.Region.new(image)
            for top in range(0, height, _BAND_ROWS):
                rows = min(_BAND_ROWS, height - top)
                band = np.frombuffer(region.fetch(0, top, width, rows), np.uint8)
                yield band.reshape(rows, width, channels)
        except pyvips.Error as error:
            reason = (str(error).splitlines() or ["libvips says no more"])[-1].strip()
            raise InputError(
                f"{self._path}: the picture is damaged or cut off: {reason}"
            ) from error


def _has_libvips() -> bool:
    """Whether pyvips is installed, and finds the library that it stands for."""
    try:
        import_module("pyvips")
    except (ImportError, OSError):
        return False
    return True


def _opened(file: BinaryIO) -> Image.Image | None:
    """A picture of which the pixels are not read yet; None for another format."""
    head = file.read(4)
    format = next((name for begin, name in _BEGINNINGS.items() if head.startswith(begin)), None)
    file.seek(0)
    if format is None:
        return None
    return open_image(head_of_png(file)) if format == "PNG" else open_unread(file, format)


def _is_plain(image: Any) -> bool:
    """Whether libvips reads an image by rows, and as Pillow does: see `rows_of_file`."""
    info = image.info
    if image.mode not in _CHANNELS or "transparency" in info or getattr(image, "n_frames", 1) > 1:
        return False
    if image.format == "TIFF":
        tags = image.tag_v2
        return all(tags.get(tag, next(iter(plain))) in plain for tag, plain in _PLAIN_TIFF.items())
    if find_orientation(strip_exif_prefix(info.get("exif") or b"")) != 1:
        return False
    if image.format == "PNG":
        return not info.get("interlace") and image.tile[0].args == image.mode
    return image.format == "JPEG" and not info.get("progressive")
