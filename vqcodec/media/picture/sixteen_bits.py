"""Colours of sixteen bits in PNG and TIFF, which Pillow gives one byte of two at a time."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from vqcodec.media.picture.modes import bands_of_image
from vqcodec.media.picture.pillow_files import load_image

__all__ = ["is_sixteen_bit_colour", "read_sixteen_bits"]

# By the byte order that Pillow calls N, which is the machine's, the other one.
_OTHER_ORDER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
_COLOURS = ("RGB;16", "RGBA;16")
_GREY_ALPHA = "LA;16B"

Pixels = NDArray[np.uint16]


def is_sixteen_bit_colour(image: Image.Image) -> bool:
    """Whether a PNG or TIFF that is not loaded yet has 16-bit RGB, RGBA or grey + alpha."""
    layouts = {_layout(tile) for tile in getattr(image, "tile", ())}
    layout = next(iter(layouts), "")
    known = layout[:-1] in _COLOURS or layout == _GREY_ALPHA
    return image.format in ("PNG", "TIFF") and len(layouts) == 1 and known


def read_sixteen_bits(
    image: ImageFile.ImageFile, open_again: Callable[[], ImageFile.ImageFile]
) -> Pixels:
    """The pixels of an image for which is_sixteen_bit_colour holds, uint16 (H, W, 2 to 4).

    One colour that is declared transparent becomes an alpha channel. The image is loaded then.
    open_again: opens the same file once more.
    """
    if _layout(image.tile[0]) == _GREY_ALPHA:
        return _grey_and_alpha(image)
    pixels = np.zeros((image.height, image.width, len(image.mode)), np.uint16)
    with open_again() as again:
        again.tile = [tile._replace(args=_other_order(tile.args)) for tile in again.tile]
        _add_bytes(again, pixels, shift=0)
        # Its pixels are let go before those of the other are there.
        again.close()
    _add_bytes(image, pixels, shift=8)
    transparent = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(transparent, tuple):
        clear = (pixels == np.array(transparent)).all(axis=2, keepdims=True)
        pixels = np.concatenate([pixels, np.where(clear, 0, 65535).astype(np.uint16)], axis=2)
    return pixels


def _add_bytes(image: Image.Image, pixels: Pixels, *, shift: int) -> None:
    load_image(image)
    for top, band in bands_of_image(image):
        pixels[top : top + band.height] |= np.asarray(band).astype(np.uint16) << shift


def _grey_and_alpha(image: ImageFile.ImageFile) -> Pixels:
    # Two samples of two bytes are read as one of four.
    image._mode = "RGBA"
    image.tile = [tile._replace(args="RGBA") for tile in image.tile]
    load_image(image)
    pixels = np.empty((image.height, image.width, 2), np.uint16)
    for top, band in bands_of_image(image):
        pixels[top : top + band.height] = np.asarray(band).view(">u2")
    return pixels


def _layout(tile: Any) -> str:
    """How the samples of a tile are laid out, by Pillow's name for it."""
    args = tile.args
    name = args[0] if isinstance(args, tuple) and args else args
    return name if isinstance(name, str) else ""


def _other_order(args: Any) -> Any:
    """What a decoder is told, with the bytes of a sample the other way round."""
    if isinstance(args, tuple):
        return (_other_order(args[0]), *args[1:])
    return args[:-1] + _OTHER_ORDER[args[-1]]
