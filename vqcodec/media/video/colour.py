"""Luma and halved chroma to RGB and back, in integers alone: the same bytes on every machine.

Matrices and ranges of ITU-T H.273; coefficients in units of 2^-16, rounded from exact fractions.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.video.chroma import GATHER_BITS, SPREAD_BITS, gather, spread
from vqcodec.media.video.signal import Facts, Frame

__all__ = ["MATRICES", "from_rgb", "matrix_of", "to_rgb"]

Integers = NDArray[np.int32] | NDArray[np.int64]

# H.273 table 4: what red and blue weigh in luma.
MATRICES = {
    1: (Fraction(2126, 10000), Fraction(722, 10000)),
    4: (Fraction(30, 100), Fraction(11, 100)),
    5: (Fraction(299, 1000), Fraction(114, 1000)),
    6: (Fraction(299, 1000), Fraction(114, 1000)),
    7: (Fraction(212, 1000), Fraction(87, 1000)),
    9: (Fraction(2627, 10000), Fraction(593, 10000)),
}
_BT709, _BT601, _NOT_SAID = 1, 6, 2
# What larger videos that say nothing are taken for, as players do.
_LARGE_HEIGHT, _LARGE_WIDTH = 576, 1280

_BITS = 16


def matrix_of(facts: Facts, height: int, width: int) -> int:
    """The matrix that a video is converted with: its own, or what one of its size usually has.

    Raises: InputError for a matrix that is none of MATRICES.

    >>> matrix_of(Facts(time_base=Fraction(1, 25)), 180, 320)
    6
    """
    if facts.matrix == _NOT_SAID:
        return _BT709 if height > _LARGE_HEIGHT or width >= _LARGE_WIDTH else _BT601
    if facts.matrix not in MATRICES:
        raise InputError(
            f"colour matrix {facts.matrix} of H.273 is not supported, these are: "
            f"{', '.join(map(str, MATRICES))}"
        )
    return facts.matrix


def to_rgb(frame: Frame, facts: Facts) -> NDArray[np.uint8]:
    """Red, green and blue of a frame, uint8 (3, H, W).

    Raises: InputError as `matrix_of`.

    >>> grey = np.full((1, 1), 128, np.uint8)
    >>> white = Frame(np.full((2, 2), 235, np.uint8), grey, grey, Fraction(0))
    >>> to_rgb(white, Facts(time_base=Fraction(1, 25)))[:, 0, 0]
    array([255, 255, 255], dtype=uint8)
    """
    height, width = frame.extent
    red, green, blue = _inverse(matrix_of(facts, height, width), facts.full_range)
    u, v = (spread(plane, frame.extent, facts.siting) for plane in (frame.u, frame.v))
    luma = (frame.y.astype(np.int32) - (0 if facts.full_range else 16)) * (
        _luma_gain(facts.full_range) << SPREAD_BITS
    )
    shift = _BITS + SPREAD_BITS
    rgb = np.empty((3, height, width), np.uint8)
    for out, (of_u, of_v) in zip(rgb, (red, green, blue), strict=True):
        # At most 255 * 1.17 + 128 * 2.2 in units of 2^-20: below 2^30.
        out[...] = _rounded(luma + of_u * u + of_v * v, shift)
    return rgb


def from_rgb(rgb: NDArray[np.uint8], facts: Facts, time: Fraction) -> Frame:
    """The frame of red, green and blue, uint8 (3, H, W).

    Raises: InputError for another dtype or shape, and as `matrix_of`.

    >>> white = np.full((3, 3, 5), 255, np.uint8)
    >>> frame = from_rgb(white, Facts(time_base=Fraction(1, 25)), Fraction(0))
    >>> frame.y[0, 0], frame.u.shape, frame.u[0, 0]
    (np.uint8(235), (2, 3), np.uint8(128))
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[0] != 3 or not rgb.size:
        raise InputError(f"colours of a frame must be uint8 (3, H, W), got {rgb.dtype} {rgb.shape}")
    rows = _forward(matrix_of(facts, *rgb.shape[1:]), facts.full_range)
    colours = rgb.astype(np.int32)
    luma = _rounded(_weighted(rows[0], colours) + ((0 if facts.full_range else 16) << _BITS), _BITS)
    # Up to 510 in units of 2^-22, which 32 bits do not hold.
    halved = [gather(plane, facts.siting).astype(np.int64) for plane in colours]
    shift = _BITS + GATHER_BITS
    u, v = (_rounded(_weighted(row, halved) + (128 << shift), shift) for row in rows[1:])
    return Frame(luma, u, v, time)


def _weighted(row: tuple[int, ...], planes: Any) -> Integers:
    total: Integers = sum(weight * plane for weight, plane in zip(row, planes, strict=True))
    return total


def _rounded(numbers: Integers, bits: int) -> NDArray[np.uint8]:
    """Numbers in units of 2^-bits to the nearest of 0 to 255, halves up."""
    numbers += 1 << (bits - 1)
    numbers >>= bits
    return numbers.clip(0, 255).astype(np.uint8)


def _units(number: Fraction) -> int:
    return round(number * (1 << _BITS))


def _luma_gain(full: bool) -> int:
    return _units(Fraction(1) if full else Fraction(255, 219))


@cache
def _inverse(matrix: int, full: bool) -> tuple[tuple[int, int], ...]:
    """What u and v add to red, green and blue (H.273 equations 38 to 40, solved for these)."""
    red, blue = MATRICES[matrix]
    gain = 2 * (Fraction(1) if full else Fraction(255, 224))
    green = 1 - red - blue
    of_v, of_u = gain * (1 - red), gain * (1 - blue)
    return (
        (0, _units(of_v)),
        (_units(-of_u * blue / green), _units(-of_v * red / green)),
        (_units(of_u), 0),
    )


@cache
def _forward(matrix: int, full: bool) -> tuple[tuple[int, int, int], ...]:
    """What red, green and blue are worth in y, u and v; of grey exactly what they should be."""
    red, blue = MATRICES[matrix]
    green = 1 - red - blue
    luma, chroma = (Fraction(1), Fraction(1)) if full else (Fraction(219, 255), Fraction(224, 255))
    y = (_units(luma * red), _units(luma * blue), _units(luma))
    u = (_units(-chroma / 2 * red / (1 - blue)), _units(chroma / 2))
    v = (_units(-chroma / 2 * blue / (1 - red)), _units(chroma / 2))
    assert green > 0
    return (
        (y[0], y[2] - y[0] - y[1], y[1]),
        (u[0], -u[0] - u[1], u[1]),
        (v[1], -v[0] - v[1], v[0]),
    )
