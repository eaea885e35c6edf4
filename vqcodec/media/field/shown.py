"""Fields as people look at them: one channel in grey, from its lowest value to its highest."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.media.field.signal import Field
from vqcodec.media.panels import draw_panels

__all__ = ["draw_fields", "field_png", "preview"]

_FIELDS = 4


def preview(original: Tensor, decoded: Tensor) -> NDArray[np.uint8]:
    """The first fields of a batch side by side, each above what was decoded of it.

    Args:
        original, decoded: float (B, C, H, W); of the channels the first is shown.

    Returns:
        uint8 (2 H, n W, 1), n = min(B, 4).
    """
    rows = [
        [batch[number, 0].float().cpu().numpy() for number in range(min(len(batch), _FIELDS))]
        for batch in (original, decoded)
    ]
    grey = [
        [_grey(plane, like=like) for plane, like in zip(row, rows[0], strict=True)] for row in rows
    ]
    return np.vstack([np.hstack(row) for row in grey])[:, :, np.newaxis]


def draw_fields(panels: Sequence[tuple[str, Field]]) -> bytes:
    """The bytes of a PNG of fields side by side, in the greys of the first of them.

    Raises:
        InputError: there are none, or their extents differ.
    """
    if len({field.extent for _, field in panels}) != 1:
        raise InputError(f"fields of one size are needed, got {[f.extent for _, f in panels]}")
    like = panels[0][1].planes[0]
    return draw_panels([(label, _grey(field.planes[0], like=like)) for label, field in panels])


def field_png(field: Field) -> bytes:
    """The bytes of a PNG of the first channel."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(_grey(field.planes[0], like=field.planes[0])).save(file, format="PNG")
    return file.getvalue()


def _grey(plane: NDArray[np.generic], *, like: NDArray[np.generic]) -> NDArray[np.uint8]:
    """uint8 (H, W), black at the lowest value of `like` and for what is missing."""
    there = like[~np.isnan(like)].astype(np.float64)
    low, high = (float(there.min()), float(there.max())) if there.size else (0.0, 1.0)
    share = (plane.astype(np.float64) - low) / ((high - low) or 1.0)
    grey: NDArray[np.uint8] = np.rint(np.nan_to_num(share).clip(0, 1) * 255).astype(np.uint8)
    return grey
