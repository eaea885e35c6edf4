"""Spectrograms, as a person looks at sounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.panels import draw_panels
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.spectra import spectrum, window_of

__all__ = ["draw_spectrograms", "shades"]

# Decibels below full scale that are black; a window of 21 ms; columns at most.
_DARKEST, _LOUDEST = -100.0, -10.0
_WINDOW = 512
_WIDEST = 480


def shades(samples: NDArray[Any], rate: int, *, columns: int = _WIDEST) -> NDArray[np.uint8]:
    """Levels of a sound over time and frequency, white is loud.

    Args:
        samples: (T,).
        rate: samples per second.
        columns: at most; where there are more moments, those of one column are averaged.

    Returns:
        uint8 (bands, columns), the highest frequency in the first row, half of the rate.

    >>> shades(np.zeros(24000), 24000).shape
    (257, 188)
    """
    amplitudes = spectrum(samples, window=window_of(_WINDOW, rate))
    starts = np.arange(0, len(amplitudes), -(-len(amplitudes) // columns))
    counts = np.diff(np.append(starts, len(amplitudes)))[:, None]
    power = np.add.reduceat(np.square(amplitudes), starts) / counts
    levels = 10 * np.log10(power + 10 ** (_DARKEST / 10))
    scaled = np.clip((levels - _DARKEST) / (_LOUDEST - _DARKEST), 0, 1)
    return np.round(255 * scaled.T[::-1]).astype(np.uint8)


def draw_spectrograms(panels: Sequence[tuple[str, Sound]]) -> bytes:
    """Spectrograms of sounds side by side, each under its label, of the mean of the channels.

    Returns: the bytes of a PNG.

    Raises:
        InputError: there are no panels, or the sounds differ in length or rate.
    """
    kinds = {(sound.extent, sound.rate) for _, sound in panels}
    if len(kinds) != 1:
        raise InputError(f"sounds of one length and rate are needed, got {sorted(kinds)}")
    return draw_panels(
        [(label, shades(sound.samples.mean(axis=1), sound.rate)) for label, sound in panels]
    )
