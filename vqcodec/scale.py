"""A signal at a fraction of its size: which fractions there are, and means of blocks of samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError

__all__ = ["block_means", "checked_shrink", "stages_shown"]


def checked_shrink(scale: float, stride: Sequence[int]) -> int:
    """How many samples along each axis become one at a scale: 8 for 1/8.

    Args:
        stride: samples that a position stands for along each axis.

    Raises:
        InputError: the scale is no power of two in (0, 1], or a block of so many samples is no
            whole part of a position.

    >>> checked_shrink(1 / 8, (8, 8)), checked_shrink(1, (5,))
    (8, 1)
    """
    number = isinstance(scale, Real) and not isinstance(scale, bool)
    if not (number and 0 < scale <= 1 and math.frexp(scale)[0] == 0.5):
        raise InputError(f"a scale is a power of two in (0, 1], such as 1/8, got {scale!r}")
    shrink = 1 << (1 - math.frexp(scale)[1])
    if any(step % shrink for step in stride):
        raise InputError(
            f"the scale {float(scale):g} does not divide the model's stride of "
            f"{' x '.join(map(str, stride))} samples"
        )
    return shrink


def stages_shown(stages: int, shrink: int) -> int:
    """How many stages of codes a signal shows at a fraction of its size; all at its whole size.

    Later ones refine what blocks of samples average out, see docs/experiments.md.

    >>> [stages_shown(12, shrink) for shrink in (1, 2, 4, 8, 16)]
    [12, 4, 3, 2, 2]
    """
    return stages if shrink == 1 else min(stages, max(2, 6 - shrink.bit_length()))


def block_means(samples: NDArray[Any], shrink: int, *, axes: int) -> NDArray[np.float32]:
    """The means of blocks of samples along the last axes, float32; the last ones may be cut short.

    >>> block_means(np.array([1, 3, 5, 7, 9]), 2, axes=1)
    array([2., 6., 9.], dtype=float32)
    """
    means = samples.astype(np.float32, copy=False)
    if shrink == 1:
        return means
    for axis in range(-axes, 0):
        starts = np.arange(0, means.shape[axis], shrink)
        counts = np.minimum(shrink, means.shape[axis] - starts).astype(np.float32)
        sums = np.add.reduceat(means, starts, axis=axis)
        means = sums / counts.reshape(-1, *(1,) * (-1 - axis))
    return means
