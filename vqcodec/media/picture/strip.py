"""Strips of pictures, as a person looks at them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.signal import Picture

__all__ = ["draw_strip", "lay_out"]

_LABEL = 26
_GAP = 6
_NARROW = 2


def draw_strip(panels: Sequence[tuple[str, Picture]], *, width: int = 720) -> bytes:
    """Pictures of one size side by side, each under its label, without their alpha.

    panels: labels and pictures. width: of a panel at most, in pixels; from larger pictures the
    middle is shown, never scaled.

    Returns: the bytes of a PNG.

    Raises:
        InputError: there are no panels, or their sizes differ.
    """
    from PIL import Image, ImageDraw, ImageFont

    extents = [picture.extent for _, picture in panels]
    if len(set(extents)) != 1:
        raise InputError(f"panels of one size are needed, got {extents}")
    shown = [(label, _middle(picture, width)) for label, picture in panels]
    height, width = shown[0][1].shape[:2]
    size = (len(shown) * (width + _GAP) - _GAP, height + _LABEL)
    strip = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(strip)
    for position, (label, pixels) in enumerate(shown):
        left = position * (width + _GAP)
        draw.text((left + 4, 3), label, fill="black", font=ImageFont.load_default(size=16))
        strip.paste(Image.fromarray(pixels), (left, _LABEL))
    buffer = io.BytesIO()
    strip.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def lay_out(pictures: Sequence[Picture]) -> Picture:
    """Pictures of one size in rows, from left to right, on white; colours alone.

    >>> black = Picture(np.zeros((28, 28, 1), np.uint8))
    >>> lay_out([black] * 10).extent
    (88, 118)
    """
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height, width = pictures[0].extent
    down, across = height + _NARROW, width + _NARROW
    sheet = np.full((rows * down - _NARROW, columns * across - _NARROW, 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        top, left = number // columns * down, number % columns * across
        pixels = to_channels(picture.in_eight_bits().pixels, 3)
        sheet[top : top + height, left : left + width] = pixels
    return Picture(sheet)


def _middle(picture: Picture, side: int) -> NDArray[np.uint8]:
    """The middle of a picture: uint8 (at most side, at most side, 3)."""
    top, left = (max(0, (length - side) // 2) for length in picture.extent)
    shown = picture.pixels[top : top + side, left : left + side]
    return np.ascontiguousarray(to_channels(shown, 3))
