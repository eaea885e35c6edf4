"""Levels of alpha: so many equal steps from 0 to 255, for a quality or as few as lose nothing."""

import functools

import numpy as np
from numpy.typing import NDArray

from vqcodec.choices import check_real
from vqcodec.media.picture.channels import alpha_of, has_alpha
from vqcodec.media.picture.rows import PictureRows
from vqcodec.media.picture.signal import Picture

__all__ = ["fewest_steps", "from_levels", "steps_at", "to_levels", "with_alpha_quality"]

Plane = NDArray[np.uint8]

_MOST = 255
# Each so much of quality less, steps are twice as large.
_HALVING = 20
_BAND_ROWS = 256


def steps_at(quality: float) -> int:
    """How many steps from 0 to 255 a quality from 0 to 100 has: 255 / 2^((100 - quality) / 20).

    Alpha is then at most 127.5 / steps away, rounded up.

    >>> [steps_at(quality) for quality in (100, 80, 60, 40, 20, 0)]
    [255, 128, 64, 32, 16, 8]
    """
    return round(_MOST * 2 ** ((quality - 100) / _HALVING))


def to_levels(plane: Plane, steps: int) -> Plane:
    """The nearest level of each value, 0 to `steps`.

    >>> to_levels(np.array([0, 8, 9, 255], np.uint8), 15)
    array([ 0,  0,  1, 15], dtype=uint8)
    """
    return ((np.arange(256) * steps + _MOST // 2) // _MOST).astype(np.uint8)[plane]


def from_levels(levels: Plane, steps: int) -> Plane:
    """The values that levels stand for: 0 is 0, `steps` is 255.

    >>> from_levels(np.array([0, 1, 3], np.uint8), 3)
    array([  0,  85, 255], dtype=uint8)
    """
    return ((np.arange(steps + 1) * _MOST + steps // 2) // steps).astype(np.uint8)[levels]


def fewest_steps(plane: Plane) -> int:
    """The fewest steps whose levels are all that a plane has: 1 for 0 and 255 alone.

    >>> edge = np.array([[0, 255]], np.uint8)
    >>> fewest_steps(edge), fewest_steps(edge // 3 * 2)
    (1, 3)
    """
    there = np.zeros(256, np.bool_)
    for top in range(0, len(plane), _BAND_ROWS):
        there[plane[top : top + _BAND_ROWS]] = True
    return int(_kept()[:, there].all(axis=1).argmax()) + 1


@functools.cache
def _kept() -> NDArray[np.bool_]:
    """Whether so many steps, from 1 to 255, have a level for a value: (255, 256)."""
    values = np.arange(256, dtype=np.uint8)
    kept = [from_levels(to_levels(values, steps), steps) == values for steps in range(1, 256)]
    return np.stack(kept)


def with_alpha_quality(
    picture: Picture | PictureRows, alpha_quality: float
) -> Picture | PictureRows:
    """A picture whose alpha has the levels of a quality; itself if that is 100, or without alpha.

    Raises: InputError for no number from 0 to 100.

    >>> grey = Picture(np.array([[[9, 0], [9, 7], [9, 100], [9, 255]]], np.uint8))
    >>> with_alpha_quality(grey, 40).window((slice(0, 1), slice(0, 4)))[0, :, 1]
    array([  0,   8, 104, 255], dtype=uint8)
    """
    check_real("alpha_quality", alpha_quality, "0 to 100", low=0, high=100)
    steps = steps_at(alpha_quality)
    if isinstance(picture, PictureRows) or not has_alpha(picture.channels) or steps == _MOST:
        return picture
    pixels = picture.pixels.copy()
    plane = from_levels(to_levels(alpha_of(pixels), steps), steps)
    pixels[:, :, -1] = plane * pixels.dtype.type(257 if pixels.itemsize > 1 else 1)
    return Picture(pixels, icc=picture.icc, exif=picture.exif)
