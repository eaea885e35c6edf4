"""Pictures: files and arrays to Picture, and Picture to files."""

from vqcodec.media.image_array import picture_from
from vqcodec.media.image_reader import read_picture
from vqcodec.media.image_writer import PICTURE_FORMATS, picture_format, write_picture
from vqcodec.media.picture import DEFAULT_MAX_PIXELS, Picture

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "PICTURE_FORMATS",
    "Picture",
    "picture_format",
    "picture_from",
    "read_picture",
    "write_picture",
]
