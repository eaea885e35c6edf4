"""What may be asked for: how near every value must come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vqcodec.choices import check_real
from vqcodec.errors import InputError

__all__ = ["Bound", "bound_of"]

_HOW = (
    "say how near the values must come, there is no default: max_error (such as 0.01, or "
    "'0.1%' of the range), "
    "max_relative_error (of each value), lossless, or psnr (a mean alone); half of the last digit "
    "that was measured is a good max_error"
)


@dataclass(frozen=True)
class Bound:
    """mode: one of `description.MODES`. value: its number; of_range: a part of the range."""

    mode: str
    value: float = 0.0
    of_range: bool = False


def bound_of(
    *,
    max_error: float | str | None = None,
    max_relative_error: float | None = None,
    lossless: bool = False,
    psnr: float | None = None,
) -> Bound:
    """The one thing that was asked for.

    Args:
        max_error: largest |decoded - original|, or a text such as "0.1%" of the range of the
            finite values.
        max_relative_error: largest |decoded - original| / |original|, in [0, 0.5].
        lossless: every bit.
        psnr: decibels, over the range; single values may be further off.

    Raises:
        InputError: nothing, or more than one thing, or a number out of range.

    >>> bound_of(max_error="0.1%")
    Bound(mode='max_error', value=0.001, of_range=True)
    """
    asked = [max_error is not None, max_relative_error is not None, bool(lossless)]
    asked.append(psnr is not None)
    if sum(asked) != 1:
        raise InputError(_HOW if not any(asked) else f"give one of them; {_HOW}")
    if lossless:
        return Bound("lossless")
    if psnr is not None:
        check_real("psnr", psnr, "a number of decibels from 1 to 300", low=1, high=300)
        return Bound("psnr", float(psnr))
    if max_relative_error is not None:
        check_real("max_relative_error", max_relative_error, "0 to 0.5", low=0, high=0.5)
        return Bound("max_relative_error", float(max_relative_error))
    value, of_range = _number(max_error)
    return Bound("max_error", value, of_range)


def _number(text: Any) -> tuple[float, bool]:
    if isinstance(text, str):
        digits, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
        try:
            value = float(digits)
        except ValueError as error:
            raise InputError(
                f"max_error must be a number, or one with %, got {text!r:.40}"
            ) from error
        value = value / 100 if percent else value
    else:
        check_real("max_error", text, "a number from 0", low=0, high=math.inf)
        value, percent = float(text), False
    if not 0 <= value < math.inf:
        raise InputError(f"max_error must be a number from 0, got {text!r:.40}")
    return value, percent
