"""SI-SDR: known ratios, and what it must not care about."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.media.sound.waveform import si_sdr

Floats = NDArray[np.float64]


def original_and_noise(length: int = 24001) -> tuple[Floats, Floats]:
    """Noise that is orthogonal to the original, of the same energy, both without a mean."""
    random = np.random.default_rng(2)
    a, b = random.normal(0, 0.2, (2, length))
    a, b = a - a.mean(), b - b.mean()
    b -= a * (a @ b) / (a @ a)
    return a, b * np.sqrt((a @ a) / (b @ b))


@pytest.mark.parametrize("decibels", [-12.5, 0.0, 7.0, 31.0])
def test_noise_of_a_known_level_is_told(decibels: float) -> None:
    original, noise = original_and_noise()
    decoded = original + noise * 10 ** (-decibels / 20)
    assert si_sdr(decoded, original, 24000) == pytest.approx(decibels, abs=0.05)


def test_gain_polarity_and_offset_do_not_matter() -> None:
    original, noise = original_and_noise()
    decoded = original + 0.1 * noise
    expected = si_sdr(decoded, original, 24000)
    for gain, offset in ((0.01, 0.0), (-3.0, 0.2)):
        assert si_sdr(gain * decoded + offset, original - 0.1, 24000) == pytest.approx(expected)


@pytest.mark.parametrize(("rate", "largest"), [(24000, 12), (16000, 8), (1000, 0)])
def test_a_shift_of_half_a_millisecond_is_forgiven_and_no_more(rate: int, largest: int) -> None:
    original, noise = original_and_noise()
    decoded = original + 0.1 * noise
    for shift in {0, largest, -largest}:
        moved = np.roll(decoded, shift)
        assert si_sdr(moved, original, rate) == pytest.approx(20, abs=0.1)
    assert si_sdr(np.roll(decoded, largest + 1), original, rate) < 0


def test_ends_of_the_scale() -> None:
    original, _ = original_and_noise(171)
    silence = np.zeros(171)
    assert si_sdr(original, original, 24000) == math.inf
    assert si_sdr(silence, original, 24000) == -math.inf
    assert si_sdr(original, silence, 24000) == -math.inf
    assert si_sdr(silence, silence, 24000) == math.inf
    assert si_sdr(np.ones(1), np.ones(1), 24000) == math.inf
