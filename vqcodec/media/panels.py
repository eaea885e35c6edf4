"""Pixels side by side, each under its label, as a person looks at them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError

__all__ = ["draw_panels"]

_LABEL = 26
_GAP = 6


def draw_panels(panels: Sequence[tuple[str, NDArray[np.uint8]]]) -> bytes:
    """The bytes of a PNG of labels and pixels of one size, uint8 (H, W, 3), or (H, W) of grey.

    Raises:
        InputError: there are no panels, or their sizes differ.
    """
    from PIL import Image, ImageDraw, ImageFont

    sizes = {pixels.shape for _, pixels in panels}
    if len(sizes) != 1:
        raise InputError(f"panels of one size are needed, got {sorted(sizes)}")
    ((height, width, *colours),) = sizes
    strip = Image.new(
        "RGB" if colours else "L", (len(panels) * (width + _GAP) - _GAP, height + _LABEL), "white"
    )
    draw = ImageDraw.Draw(strip)
    for position, (label, pixels) in enumerate(panels):
        left = position * (width + _GAP)
        draw.text((left + 4, 3), label, fill="black", font=ImageFont.load_default(size=16))
        strip.paste(Image.fromarray(pixels), (left, _LABEL))
    buffer = io.BytesIO()
    strip.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
