"""Spectra over time, and how far two of them are from each other."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["log_spectral_distance", "mel_distance", "mel_filters", "spectrum", "window_of"]

# Of windows of so many samples at 24 kHz, and in proportion at other rates: bands on the mel scale.
MEL_SCALES = {256: 20, 512: 40, 1024: 80}
_WINDOW = 512
_PER_SECOND = 24000
# Amplitude of a partial below which nothing is heard, nor told apart here: 100 dB below full scale.
_FLOOR = 1e-5


def window_of(samples: int, rate: int) -> int:
    """The even number of samples that lasts as long as so many do at 24 kHz.

    >>> window_of(512, 24000), window_of(512, 16000), window_of(1, 1000)
    (512, 342, 2)
    """
    return max(2, 2 * round(samples * rate / _PER_SECOND / 2))


def spectrum(samples: NDArray[Any], *, window: int) -> NDArray[np.float64]:
    """Amplitudes over time, by a Hann window that moves by a quarter; a sine of 1 has about 1/2.

    Args:
        samples: (T,), taken as silent before and after.
        window: samples, even.

    Returns:
        (1 + T // hop, window // 2 + 1); the first window is centred on the first sample.

    >>> sine = np.sin(2 * np.pi * np.arange(4096) / 16)
    >>> int(spectrum(sine, window=256)[8].argmax())
    16
    """
    hop = max(1, window // 4)
    padded = np.pad(samples.astype(np.float64), window // 2)
    frames = sliding_window_view(padded, window)[::hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    return np.abs(np.fft.rfft(frames * hann)) / (window / 2)


@cache
def mel_filters(bands: int, *, window: int, rate: int) -> NDArray[np.float64]:
    """Triangles of height 1, evenly spaced from 0 to half the rate on the mel scale.

    The scale is 2595 log10(1 + f / 700), that of O'Shaughnessy 1987 and HTK.

    Returns:
        (window // 2 + 1, bands), from amplitudes of a spectrum to those of the bands.

    >>> mel_filters(20, window=256, rate=24000).shape
    (129, 20)
    """
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, highest, bands + 2) / 2595) - 1)
    hertz = (np.arange(window // 2 + 1) * rate / window)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    filters: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    filters.setflags(write=False)
    return filters


def mel_distance(decoded: NDArray[Any], original: NDArray[Any], rate: int) -> float:
    """Mean difference of the levels of mel bands in dB, over three resolutions; 0 for equal sounds.

    The mean over scales, times and bands of 20 |log10 difference|: 20, 40 and 80 bands by windows
    of 256, 512 and 1024 samples at 24 kHz (10.7, 21.3 and 42.7 ms). A level is that of the band's
    amplitude and a floor 100 dB below full scale.

    >>> noise = np.random.default_rng(0).normal(0, 0.1, 4800)
    >>> round(mel_distance(0.5 * noise, noise, 24000), 1)
    6.0
    """
    distances = []
    for samples, bands in MEL_SCALES.items():
        window = window_of(samples, rate)
        filters = mel_filters(bands, window=window, rate=rate)
        a, b = (_levels(spectrum(x, window=window) @ filters) for x in (decoded, original))
        distances.append(np.abs(a - b).mean())
    return float(np.mean(distances))


def log_spectral_distance(decoded: NDArray[Any], original: NDArray[Any], rate: int) -> float:
    """Distance of spectra in dB: the root mean square over frequencies, averaged over time.

    Gray and Markel 1976, of spectra by windows of 512 samples at 24 kHz (21.3 ms), with levels as
    those of `mel_distance`; 0 for equal sounds.

    >>> noise = np.random.default_rng(0).normal(0, 0.1, 4800)
    >>> round(log_spectral_distance(0.5 * noise, noise, 24000), 1)
    6.0
    """
    window = window_of(_WINDOW, rate)
    a, b = (_levels(spectrum(x, window=window)) for x in (decoded, original))
    return float(np.sqrt(np.square(a - b).mean(axis=1)).mean())


def _levels(amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decibels of amplitudes, with the power of the floor added."""
    levels: NDArray[np.float64] = 10 * np.log10(np.square(amplitudes) + _FLOOR**2)
    return levels
