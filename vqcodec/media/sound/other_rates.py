"""One channel at another rate, for codecs and measures that know one rate only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.sound.extras import extra_package

__all__ = ["at_rate"]


def at_rate(
    samples: NDArray[Any], *, rate: int, wanted: int, needed_by: str
) -> NDArray[np.float32]:
    """Resample by scipy's polyphase filter, whose delay is taken out; as they are at equal rates.

    Args:
        samples: (T,), or (T, C) along the first axis.
        rate, wanted: samples per second, before and after.
        needed_by: who asks, for the message if scipy is missing.

    Returns:
        float32 (ceil(T * wanted / rate), ...).

    Raises:
        MissingDependencyError: scipy is not installed.

    >>> at_rate(np.ones(480), rate=48000, wanted=16000, needed_by="an example").shape
    (160,)
    """
    if rate == wanted:
        return samples.astype(np.float32)
    common = math.gcd(rate, wanted)
    signal = extra_package("scipy.signal", needed_by=needed_by)
    resampled = signal.resample_poly(samples.astype(np.float64), wanted // common, rate // common)
    found: NDArray[np.float32] = resampled.astype(np.float32)
    return found
