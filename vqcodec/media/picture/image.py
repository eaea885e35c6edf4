"""Pictures: files and arrays to Picture, and Picture to files."""

from vqcodec.media.picture.arrays import picture_from
from vqcodec.media.picture.reader import read_picture
from vqcodec.media.picture.signal import DEFAULT_MAX_PIXELS, Picture
from vqcodec.media.picture.writer import PICTURE_FORMATS, picture_format, write_picture

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "PICTURE_FORMATS",
    "Picture",
    "picture_format",
    "picture_from",
    "read_picture",
    "write_picture",
]
