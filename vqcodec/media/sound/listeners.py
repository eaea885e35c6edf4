"""Models of listeners, each by the package that is commonly used for it.

All take (T,) decoded and original, and the rate of both; they need the extra vqcodec[sound-eval].
Of an original that is silent or too short for them, or in which they find no speech, they say NaN.
"""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.sound.extras import extra_package
from vqcodec.media.sound.other_rates import at_rate

__all__ = ["estoi", "pesq_wide", "visqol", "visqol_speech"]

# ViSQOL listens to sound at 48 kHz and to speech at 16; PESQ wide band and ESTOI at 16 kHz.
_SOUND, _SPEECH = 48_000, 16_000
# Seconds that fill the patches which ViSQOL compares.
_SHORTEST = 1.0
# The opinion of silence in place of a sound, of which the packages cannot be asked.
_WORST = 1.0


def visqol(decoded: NDArray[Any], original: NDArray[Any], rate: int) -> float:
    """ViSQOL 3 in audio mode, a mean opinion from 1 to 4.73: of sound resampled to 48 kHz.

    Chinen et al. 2020, by visqol-python. Lenient on missing highs of speech: not to stand alone.
    """
    return _visqol(decoded, original, rate, mode="audio", at=_SOUND)


def visqol_speech(decoded: NDArray[Any], original: NDArray[Any], rate: int) -> float:
    """ViSQOL 3 in speech mode, a mean opinion from 1 to 5: of speech resampled to 16 kHz.

    Its polynomial mapping is used, not the lattice, which needs one more package.
    """
    return _visqol(decoded, original, rate, mode="speech", at=_SPEECH)


def pesq_wide(decoded: NDArray[Any], original: NDArray[Any], rate: int) -> float:
    """PESQ wide band, a mean opinion from 1 to 4.64 of speech: ITU-T P.862.2, by pesq."""
    package = extra_package("pesq", needed_by="PESQ")
    if not original.any():
        return math.nan
    if not decoded.any():
        return _WORST
    heard, spoken = _both(decoded, original, rate, _SPEECH, "PESQ")
    try:
        return float(package.pesq(_SPEECH, spoken, heard, "wb"))
    except (package.NoUtterancesError, package.BufferTooShortError):
        return math.nan


def estoi(decoded: NDArray[Any], original: NDArray[Any], rate: int) -> float:
    """Extended short-time objective intelligibility, 1 for equal speech.

    Jensen and Taal 2016, by pystoi, of speech resampled to 16 kHz.
    """
    package = extra_package("pystoi", needed_by="ESTOI")
    if not original.any():
        return math.nan
    heard, spoken = _both(decoded, original, rate, _SPEECH, "ESTOI")
    with warnings.catch_warnings():
        # What is shorter than 30 frames without silence is told by a warning and a made-up value.
        warnings.filterwarnings("error", message="Not enough STFT frames", category=RuntimeWarning)
        try:
            # Rounding can leave the value of equal speech a little above 1.
            return min(1.0, float(package.stoi(spoken, heard, _SPEECH, extended=True)))
        except RuntimeWarning:
            return math.nan


def _visqol(
    decoded: NDArray[Any], original: NDArray[Any], rate: int, *, mode: str, at: int
) -> float:
    listener = _listener(mode)
    if original.size < _SHORTEST * rate or not original.any():
        return math.nan
    if not decoded.any():
        return _WORST
    heard, played = _both(decoded, original, rate, at, "ViSQOL")
    return float(listener.measure_from_arrays(played, heard, at).moslqo)


@cache
def _listener(mode: str) -> Any:
    listener = extra_package("visqol", needed_by="ViSQOL").VisqolApi()
    listener.create(mode=mode, use_lattice_model=False)
    return listener


def _both(
    decoded: NDArray[Any], original: NDArray[Any], rate: int, wanted: int, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decoded and original at another rate."""
    a, b = (at_rate(x, rate=rate, wanted=wanted, needed_by=name) for x in (decoded, original))
    return a.astype(np.float64), b.astype(np.float64)
