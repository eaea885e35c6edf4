"""How near a waveform is to its original."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["si_sdr"]

# Real codecs are late or early by a sample or two, by another one at each of their rates.
_LARGEST_SHIFT = 1 / 2000


def si_sdr(decoded: NDArray[Any], original: NDArray[Any], rate: int) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, at the best shift of up to 0.5 ms.

    Le Roux, Wisdom, Erdogan and Hershey 2019, with means taken out: the energy of the decoded
    sound's part along the original over that of the rest; inf for equal ones, -inf for silence
    instead of a sound.

    Args:
        decoded, original: (T,) each, of one length.
        rate: samples per second.

    >>> original, noise = np.random.default_rng(0).normal(size=(2, 24000))
    >>> round(si_sdr(0.5 * original + 0.05 * noise, original, 24000))
    20
    """
    largest = min(int(rate * _LARGEST_SHIFT), original.size - 1)
    a, b = decoded.astype(np.float64), original.astype(np.float64)
    length = original.size
    return max(
        _unshifted(a[max(0, late) : length + late], b[max(0, -late) : length - late])
        for late in range(-largest, largest + 1)
    )


def _unshifted(decoded: NDArray[np.float64], original: NDArray[np.float64]) -> float:
    decoded, original = decoded - decoded.mean(), original - original.mean()
    energy = float(original @ original)
    along = original * (float(decoded @ original) / energy) if energy else np.zeros_like(original)
    wanted, rest = float(along @ along), float(np.square(decoded - along).sum())
    if wanted == 0:
        return math.inf if energy == rest == 0 else -math.inf
    return math.inf if rest == 0 else 10 * math.log10(wanted / rest)
