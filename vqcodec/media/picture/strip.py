"""Strips of pictures, as a person looks at them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.panels import draw_panels
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.signal import Picture

__all__ = ["draw_strip", "lay_out"]

_NARROW = 2


def draw_strip(panels: Sequence[tuple[str, Picture]], *, width: int = 720) -> bytes:
    """Pictures of one size side by side, each under its label, without their alpha.

    panels: labels and pictures. width: of a panel at most, in pixels; from larger pictures the
    middle is shown, never scaled.

    Returns: the bytes of a PNG.

    Raises:
        InputError: there are no panels, or their sizes differ.
    """
    extents = [picture.extent for _, picture in panels]
    if len(set(extents)) != 1:
        raise InputError(f"panels of one size are needed, got {extents}")
    return draw_panels([(label, _middle(picture, width)) for label, picture in panels])


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
