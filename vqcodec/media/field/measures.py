"""How near a decoded field is to its original, channel by channel, where values are there."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.field.signal import Field
from vqcodec.media.workshop import Measure, decibels

__all__ = ["MEASURES", "largest_error", "psnr"]


def psnr(decoded: Field, original: Field) -> float:
    """Decibels of the mean over channels of squared errors, each over the squared range, in dB.

    Infinite for equal fields. Where all values of a channel are equal, their size stands for the
    range.

    Raises:
        InputError: the shapes differ.

    >>> ramp = np.arange(12.0).reshape(3, 4)
    >>> round(psnr(Field(ramp + 1.1), Field(ramp)), 2)
    20.0
    """
    shares = [float(np.square(off / spread).mean()) for off, spread in _errors(decoded, original)]
    return decibels(float(np.mean(shares)) if shares else 0.0)


def largest_error(decoded: Field, original: Field) -> float:
    """The largest error, in per cent of the range of its channel.

    Raises:
        InputError: the shapes differ.

    >>> ramp = np.arange(12.0).reshape(3, 4)
    >>> round(largest_error(Field(ramp + 1.1), Field(ramp)), 6)
    10.0
    """
    shares = [float(np.abs(off).max()) / spread for off, spread in _errors(decoded, original)]
    return 100 * max(shares, default=0.0)


def _errors(decoded: Field, original: Field) -> list[tuple[NDArray[np.float64], float]]:
    """Of each channel that has values its errors there, and the range of the original's."""
    if decoded.planes.shape != original.planes.shape:
        raise InputError(
            f"fields of one shape are compared, got {decoded.planes.shape} and "
            f"{original.planes.shape}"
        )
    found = []
    for ours, theirs in zip(decoded.planes, original.planes, strict=True):
        there = ~np.isnan(theirs)
        wanted = theirs[there].astype(np.float64)
        if wanted.size:
            spread = float(np.ptp(wanted)) or float(np.abs(wanted[0])) or 1.0
            off = ours[there].astype(np.float64) - wanted
            # What is missing though it should be there is as far off as can be.
            found.append((np.nan_to_num(off, nan=math.inf), spread))
    return found


MEASURES: tuple[Measure, ...] = (
    Measure(name="psnr", of=psnr, title="PSNR", unit="dB"),
    Measure(
        name="largest-error",
        of=largest_error,
        title="largest error",
        unit="% of range",
        low=0,
        lower_is_better=True,
    ),
)
