"""The numbers that a caller chooses: refused by name before anything is computed."""

from __future__ import annotations

import math
import numbers
from typing import Any

from vqcodec.errors import InputError

__all__ = ["check_real", "check_target", "check_whole"]

_MOST = 2.0**63


def check_real(
    name: str, value: Any, wanted: str, *, low: float = -_MOST, high: float = _MOST
) -> None:
    """Accept a number from `low` to `high`, 2^63 at most; True and False are none.

    Raises:
        InputError: it is not what is `wanted`, in words; the message shows the value.

    >>> check_real("psnr", float("nan"), "a number of decibels")
    Traceback (most recent call last):
    vqcodec.errors.InputError: psnr must be a number of decibels, got nan
    """
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (real and low <= value <= high):
        raise InputError(f"{name} must be {wanted}, got {value!r}")


def check_whole(name: str, value: Any, low: int, high: int | None = None) -> None:
    """Accept an integer from `low` to `high`, if there is one, NumPy's too; True and 5.0 are none.

    Raises:
        InputError: showing the value.

    >>> check_whole("effort", 5.0, 1, 9)
    Traceback (most recent call last):
    vqcodec.errors.InputError: effort must be 1 to 9, a whole number, got 5.0
    """
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not (whole and low <= value and (high is None or value <= high)):
        span = f"a whole number from {low}" if high is None else f"{low} to {high}, a whole number"
        raise InputError(f"{name} must be {span}, got {value!r}")


def check_target(
    quality: float,
    *,
    bpp: float | None,
    kbps: float | None,
    size: int | None,
    psnr: float | None,
) -> None:
    """Accept a quality, or one thing that is asked for instead of it.

    Raises:
        InputError: more than one thing is asked for, or what cannot be aimed at.

    >>> check_target(50, bpp=0.5, kbps=None, size=None, psnr=None)
    """
    if sum(target is not None for target in (bpp, kbps, size, psnr)) > 1:
        raise InputError(
            f"give one of bpp, kbps, size and psnr: {bpp = }, {kbps = }, {size = }, {psnr = }"
        )
    if bpp is not None:
        check_real("bpp", bpp, "a positive number", low=math.ulp(0.0))
    elif kbps is not None:
        check_real("kbps", kbps, "a positive number", low=math.ulp(0.0))
    elif size is not None:
        check_real("size", size, "a number of bytes")
    elif psnr is not None:
        check_real("psnr", psnr, "a number of decibels")
    else:
        check_real("quality", quality, "0 to 100", low=0, high=100)
