"""Colours that nobody sees, because alpha is 0: what stands there for the network, and who counts.

Drawing programs leave anything under alpha 0, from black to noise. Coded as it is, it would take
bits and pull at the colours beside it. So the visible colours flow into it: coarse to fine, each
hidden sample becomes the mean of what is around it (the pull and push of Gortler et al. 1996,
smoothed on every scale).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.picture.channels import alpha_of, has_alpha
from vqcodec.media.picture.rows import PictureRows
from vqcodec.media.picture.signal import Picture
from vqcodec.media.workshop import decibels

__all__ = ["fill_hidden", "visible_psnr"]

_BAND_ROWS = 256
_SMOOTHINGS = 2


def fill_hidden(pixels: NDArray[Any]) -> NDArray[Any]:
    """Fill colours under alpha 0 smoothly from the visible ones: uint8 or uint16 (H, W, 1 to 4).

    Visible colours and alpha stay as they are; a picture of which nothing is visible becomes black.

    >>> row = np.array([[[90, 255], [7, 0], [203, 0]]], np.uint8)
    >>> fill_hidden(row)[0, :, 0]
    array([90, 90, 90], dtype=uint8)
    """
    hidden = _hidden(pixels)
    if not hidden.any():
        return pixels
    height, width = hidden.shape
    # Whole numbers at full resolution, floats from half of it on: a quarter of the memory.
    guess = _from_coarse(pixels[:, :, :-1], ~hidden[:, :, None])
    filled = pixels.copy()
    made = np.rint(guess).astype(pixels.dtype)
    filled[:, :, :-1][hidden] = _doubled(made, height, width)[hidden]
    return filled


def visible_psnr(decoded: Picture, original: Picture | PictureRows) -> float:
    """PSNR of the colours where the original shows anything, in dB; inf where it shows nothing.

    The peak is the width of the original's data range: 255 of eight bits.
    Raises: InputError if one has eight bits, the other sixteen.
    """
    if decoded.bits != original.bits:
        raise InputError(
            f"pictures of {decoded.bits} and {original.bits} bits do not compare: "
            f"decode with bits={original.bits}"
        )
    height, width = original.extent
    error = count = 0
    for top in range(0, height, _BAND_ROWS):
        band = (slice(top, min(top + _BAND_ROWS, height)), slice(0, width))
        pixels, wanted = decoded.window(band), original.window(band)
        shown = ~_hidden(wanted)
        colours = slice(0, 3 if original.channels >= 3 else 1)
        differences = np.subtract(pixels[:, :, colours], wanted[:, :, colours], dtype=np.int32)
        error += int(np.square(differences[shown], dtype=np.int64).sum())
        count += int(shown.sum()) * differences.shape[2]
    return decibels(error / max(1, count) / original.data_range.width**2)


def _hidden(pixels: NDArray[Any]) -> NDArray[np.bool_]:
    """Where alpha is 0, bool (H, W); nowhere without alpha."""
    if not has_alpha(pixels.shape[2]):
        return np.zeros(pixels.shape[:2], np.bool_)
    hidden: NDArray[np.bool_] = alpha_of(pixels) == 0
    return hidden


def _from_coarse(colours: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Means of 2 x 2 known colours of (H, W, C), made up where none is: (H / 2, W / 2, C)."""
    counts = _pairs(known)
    means = _pairs(colours * known) / np.maximum(counts, 1, dtype=np.float32)
    return _filled(means.astype(np.float32), counts > 0)


def _filled(colours: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Colours (H, W, C), those that are not known, (H, W, 1), made up from those that are."""
    if known.all() or not known.any():
        return np.where(known, colours, np.float32(0))
    guess = _doubled(_from_coarse(colours, known), *known.shape[:2])
    for _ in range(_SMOOTHINGS):
        guess = np.where(known, colours, _box(np.where(known, colours, guess)))
    return guess


def _doubled(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Each value of (h, w, C) for 2 x 2 samples, cut to (height, width, C)."""
    return values.repeat(2, axis=0)[:height].repeat(2, axis=1)[:, :width]


def _pairs(values: NDArray[Any]) -> NDArray[Any]:
    """Sums of 2 x 2 samples of (H, W, C), what is beyond the edge counted as 0."""
    wide = {1: np.uint16, 2: np.uint32}.get(values.dtype.itemsize, values.dtype)
    rows = values[0::2].astype(wide)
    rows[: len(values) // 2] += values[1::2]
    sums = rows[:, 0::2].copy()
    sums[:, : rows.shape[1] // 2] += rows[:, 1::2]
    return sums


def _box(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 3 x 3 samples of (H, W, C), the edges repeated."""
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    sums: NDArray[np.float32] = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return sums / np.float32(9)
