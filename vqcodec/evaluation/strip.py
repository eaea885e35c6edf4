"""Pictures as every codec takes them, and strips of pictures as a person looks at them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from vqcodec.errors import InputError
from vqcodec.evaluation.contestants import Pixels
from vqcodec.media.picture.image import Picture

__all__ = ["draw_strip", "rgb_pixels"]

_LABEL = 26
_GAP = 6


def rgb_pixels(picture: Picture) -> Pixels:
    """The colours of a picture as uint8 (H, W, 3): grey is repeated, alpha left out.

    What codecs are compared by, since not all of them carry grey or alpha.
    """
    if picture.channels in (1, 2):
        return np.repeat(picture.pixels[..., :1], 3, axis=2)
    return np.ascontiguousarray(picture.pixels[..., :3])


def draw_strip(panels: Sequence[tuple[str, Pixels]], *, width: int = 720) -> bytes:
    """Pictures of one size side by side, each under its label.

    panels: labels and uint8 (H, W, 3). width: of a panel at most, in pixels; from larger pictures
    the middle is shown, never scaled.

    Returns: the bytes of a PNG.

    Raises:
        InputError: there are no panels, or their sizes differ.
    """
    from PIL import Image, ImageDraw, ImageFont

    if len({pixels.shape for _, pixels in panels}) != 1:
        raise InputError(f"panels of one size are needed, got {[p.shape for _, p in panels]}")
    shown = [(label, _middle(pixels, width)) for label, pixels in panels]
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


def _middle(pixels: Pixels, side: int) -> Pixels:
    top = max(0, (pixels.shape[0] - side) // 2)
    left = max(0, (pixels.shape[1] - side) // 2)
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])
