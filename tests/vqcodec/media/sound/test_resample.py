"""Resampling: against sines and SciPy's filter, and the same whatever part is asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from vqcodec.media.sound.resample import Resampler

Samples = NDArray[np.float32]

# Both ways; by small numbers, by large ones, and by none that a matrix holds.
RATES = [
    *((44100, 24000), (24000, 44100), (48000, 16000), (16000, 48000), (11025, 24000)),
    *((32000, 24000), (96000, 16000), (44101, 24000), (24000, 44101), (22255, 24000)),
]
every_rate = pytest.mark.parametrize(("source", "target"), RATES)


def reader(samples: Samples) -> Callable[[int, int], Samples]:
    """What reads (T, C); beyond an end its last sample stays."""
    return lambda start, stop: samples[np.clip(np.arange(start, stop), 0, len(samples) - 1)]


def resampled(samples: Samples, source: int, target: int) -> Samples:
    resampler = Resampler(source, target)
    return resampler.window(0, resampler.count(len(samples)), reader(samples))


def sine(frequency: float, rate: int, samples: int) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * frequency * np.arange(samples) / rate)


def decibels(error: Any) -> float:
    return float(20 * np.log10(np.abs(error).max()))


@every_rate
@pytest.mark.parametrize("share", [0.01, 0.31, 0.9])
def test_what_both_rates_hold_stays_what_and_where_it_is(
    source: int, target: int, share: float
) -> None:
    """Sines in the pass band, at their very place: ripple, delay and images in one."""
    frequency = share * min(source, target) / 2
    given = sine(frequency, source, source // 4).astype(np.float32)[:, None]
    found = resampled(given, source, target)[:, 0]
    wanted = sine(frequency, target, len(found))
    edge = max(1, target // 40)
    assert decibels((found - wanted)[edge:-edge]) < -95


@pytest.mark.parametrize(
    ("source", "target", "share"),
    [(s, t, share) for s, t in RATES for share in (1.003, 1.2, 1.7) if share * t < s],
)
def test_what_the_lower_rate_cannot_hold_is_gone(source: int, target: int, share: float) -> None:
    frequency = share * target / 2
    given = sine(frequency, source, source // 4).astype(np.float32)[:, None]
    edge = target // 40
    assert decibels(resampled(given, source, target)[edge:-edge]) < -98


@pytest.mark.parametrize(("source", "target"), [(48000, 24000), (44100, 24000), (16000, 24000)])
def test_against_the_filter_of_scipy(source: int, target: int) -> None:
    """Soft noise, which both pass: what is left is their filters' difference at the edges."""
    divisor = np.gcd(source, target)
    noise = np.random.default_rng(0).standard_normal(source // 2)
    spectrum = np.fft.rfft(noise)
    spectrum[int(0.2 * min(source, target)) // 2 :] = 0
    soft = np.fft.irfft(spectrum, len(noise))
    wanted = resample_poly(soft, target // divisor, source // divisor, window=("kaiser", 12.0))
    found = resampled(soft.astype(np.float32)[:, None], source, target)[:, 0]
    assert len(found) == len(wanted)
    edge = target // 20
    assert decibels((found - wanted)[edge:-edge] / np.abs(soft).max()) < -60


@every_rate
def test_a_constant_stays_one(source: int, target: int) -> None:
    found = resampled(np.full((999, 2), 0.625, np.float32), source, target)
    np.testing.assert_allclose(found, 0.625, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("source", "target"), [(44100, 24000), (8000, 24000), (44101, 24000)])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_part_is_what_the_whole_has_there(source: int, target: int, data: Any) -> None:
    """To the bit, and of what `needed` says alone."""
    resampler = Resampler(source, target)
    samples = np.random.default_rng(1).standard_normal((20011, 2)).astype(np.float32)
    count = resampler.count(len(samples))
    whole = resampler.window(0, count, reader(samples))
    start = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(start + 1, min(count, start + 3000)))
    first, last = resampler.needed(start, stop)
    kept = np.full_like(samples, 1e6)
    kept[max(0, first) : last] = samples[max(0, first) : last]
    if first < 0:
        kept[0] = samples[0]
    if last > len(samples):
        kept[-1] = samples[-1]
    np.testing.assert_array_equal(
        resampler.window(start, stop, reader(kept)), whole[start:stop], strict=True
    )


@every_rate
def test_what_can_be_made_of_a_beginning_needs_no_more(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    for there in (0, 1, resampler.reach, resampler.reach + 1, 5000, 5001):
        made = resampler.complete(there)
        if made:
            assert resampler.needed(made - 1, made)[1] <= there
        assert resampler.needed(made, made + 1)[1] > there


def test_how_many_there_are() -> None:
    for source, target in RATES:
        for samples in (1, 2, 7, 44100, 2**32 - 1):
            count = Resampler(source, target).count(samples)
            assert (count - 1) * source < samples * target <= count * source
