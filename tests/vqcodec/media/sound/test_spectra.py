"""Distances of spectra: against torch's transform, and laws of levels."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec.media.sound.spectra import (
    log_spectral_distance,
    mel_distance,
    mel_filters,
    spectrum,
    window_of,
)

Floats = NDArray[np.float64]
RATES = [16000, 22050, 24000, 48000]


def noise(length: int, seed: int = 0, scale: float = 0.1) -> Floats:
    return np.random.default_rng(seed).normal(0, scale, length)


def by_torch(samples: Floats, window: int) -> Floats:
    """Amplitudes (T, F) by torch's transform, whose padding and window are the same."""
    frames = torch.stft(
        torch.from_numpy(samples),
        window,
        window // 4,
        window=torch.hann_window(window, dtype=torch.float64),
        pad_mode="constant",
        return_complex=True,
    )
    found: Floats = frames.abs().T.numpy() / (window / 2)
    return found


@pytest.mark.parametrize("window", [2, 256, 342, 470, 1024])
def test_spectrum_is_that_of_torch(window: int) -> None:
    samples = noise(4801)
    found = spectrum(samples, window=window)
    hop = max(1, window // 4)
    assert found.shape == (1 + 4801 // hop, window // 2 + 1)
    if window >= 4:
        assert np.abs(found - by_torch(samples, window)).max() < 1e-12


@pytest.mark.parametrize("length", [1, 7, 100])
def test_sounds_shorter_than_a_window_have_spectra(length: int) -> None:
    samples = noise(length)
    assert np.isfinite(spectrum(samples, window=1024)).all()
    assert mel_distance(samples, samples, 24000) == 0
    assert log_spectral_distance(samples, samples, 24000) == 0


@pytest.mark.parametrize("rate", RATES)
def test_neighbouring_bands_share_every_frequency_between_them(rate: int) -> None:
    for samples, bands in ((256, 20), (512, 40), (1024, 80)):
        window = window_of(samples, rate)
        filters = mel_filters(bands, window=window, rate=rate)
        peaks = filters.argmax(0)
        assert (np.diff(peaks) > 0).all()
        inside = filters[peaks[0] + 1 : peaks[-1]]
        assert np.abs(inside.sum(1) - 1).max() < 1e-12
        assert (filters.sum(0) > 0.5).all()


def test_bands_are_evenly_spaced_on_the_mel_scale() -> None:
    window, rate = 2**16, 24000
    filters = mel_filters(40, window=window, rate=rate)
    hertz = filters.argmax(0) * rate / window
    mel = 1127.01048 * np.log1p(hertz / 700)
    assert np.diff(mel).std() < 0.5
    assert mel[0] == pytest.approx(1127.01048 * np.log1p(12000 / 700) / 41, abs=0.5)


def mel_by_loops(decoded: Floats, original: Floats, rate: int) -> float:
    """The same distance, band by band, from torch's spectra."""
    scales = []
    for samples, bands in ((256, 20), (512, 40), (1024, 80)):
        window = 2 * round(samples * rate / 48000)
        levels = []
        for sound in (decoded, original):
            amplitudes = by_torch(sound, window)
            top = np.log10(1 + rate / 2 / 700)
            edge = [700 * (10 ** (top * i / (bands + 1)) - 1) for i in range(bands + 2)]
            hertz = np.arange(amplitudes.shape[1]) * rate / window
            rows = []
            for low, mid, high in zip(edge, edge[1:], edge[2:], strict=False):
                weight = np.interp(hertz, [low, mid, high], [0, 1, 0], left=0, right=0)
                rows.append(20 * np.log10(np.hypot(amplitudes @ weight, 1e-5)))
            levels.append(np.stack(rows))
        scales.append(np.abs(levels[0] - levels[1]).mean())
    return float(np.mean(scales))


@pytest.mark.parametrize("rate", RATES)
def test_mel_distance_is_the_mean_over_scales_times_and_bands(rate: int) -> None:
    original = noise(rate // 3 + 1, scale=0.02)
    decoded = original + noise(original.size, seed=1, scale=1e-4)
    decoded[: rate // 9] = 0
    found = mel_distance(decoded, original, rate)
    assert found == pytest.approx(mel_by_loops(decoded, original, rate), rel=1e-9)
    assert found > 5


def test_log_spectral_distance_is_of_each_moment() -> None:
    original, decoded = noise(5001), noise(5001, seed=1, scale=0.03)
    a, b = (20 * np.log10(np.hypot(by_torch(x, 512), 1e-5)) for x in (decoded, original))
    each = [np.sqrt(np.mean((p - q) ** 2)) for p, q in zip(a, b, strict=True)]
    assert log_spectral_distance(decoded, original, 24000) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("distance", [mel_distance, log_spectral_distance])
def test_distances_are_symmetric_and_a_gain_is_its_decibels(distance: object) -> None:
    assert callable(distance)
    original, other = noise(9001), noise(9001, seed=1)
    assert distance(other, original, 24000) == pytest.approx(distance(original, other, 24000))
    for gain in (2.0, 0.1):
        level = abs(20 * np.log10(gain))
        assert distance(gain * original, original, 24000) == pytest.approx(level, abs=0.02)


@pytest.mark.parametrize("distance", [mel_distance, log_spectral_distance])
def test_what_is_below_the_floor_is_silence(distance: object) -> None:
    assert callable(distance)
    silence = np.zeros(4801)
    assert distance(noise(4801, scale=1e-7), silence, 24000) < 0.05
    assert distance(noise(4801, scale=1e-3), silence, 24000) > 10
