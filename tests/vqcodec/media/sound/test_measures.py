"""The measures of sounds: against the packages they stand for, and on each channel."""

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.evaluation import find_measures
from vqcodec.media.sound.listeners import _listener, estoi, pesq_wide, visqol, visqol_speech
from vqcodec.media.sound.measures import MEASURES
from vqcodec.media.sound.signal import Sound

Listener = Callable[[NDArray[Any], NDArray[Any], int], float]
LISTENERS = {"visqol": visqol, "visqol-speech": visqol_speech, "pesq": pesq_wide, "estoi": estoi}
BY_NAME = {measure.name: measure for measure in MEASURES}
PLAIN = ("mel", "si-sdr", "log-spectral")


@pytest.fixture
def spoken() -> NDArray[np.float32]:
    """A voice-like sound of 1.2 s at 16 kHz: a buzz whose pitch, loudness and colour change."""
    time = np.arange(19200) / 16000
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * time)) / 16000
    colour = 1 + np.sin(2 * np.pi * 2.1 * time)
    buzz = sum(np.sin(k * phase) / k ** (0.5 + 0.5 * colour) for k in range(1, 25))
    loud = np.clip(np.sin(2 * np.pi * 3.3 * time) + 0.4, 0, None)
    return (0.1 * loud * buzz).astype(np.float32)


def worse(samples: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(1).normal(0, level, samples.shape)
    return (samples + noise).astype(np.float32)


@pytest.mark.parametrize("name", LISTENERS)
def test_listeners_like_the_original_best(name: str, spoken: NDArray[np.float32]) -> None:
    pytest.importorskip(str(BY_NAME[name].package))
    found = [LISTENERS[name](worse(spoken, level), spoken, 16000) for level in (0, 0.003, 0.05)]
    assert found[0] > found[1] > found[2]
    assert all(BY_NAME[name].low <= value <= BY_NAME[name].high for value in found)
    best = {"visqol": 4.732, "visqol-speech": 5.0, "pesq": 4.644, "estoi": 1.0}[name]
    assert found[0] == pytest.approx(best, abs=0.001)


def test_pesq_and_estoi_are_those_of_their_packages(spoken: NDArray[np.float32]) -> None:
    pesq, pystoi = pytest.importorskip("pesq"), pytest.importorskip("pystoi")
    decoded = worse(spoken, 0.01)
    assert pesq_wide(decoded, spoken, 16000) == pesq.pesq(16000, spoken, decoded, "wb")
    plain = pystoi.stoi(spoken.astype(float), decoded.astype(float), 16000, extended=True)
    assert estoi(decoded, spoken, 16000) == pytest.approx(plain, abs=1e-6)


@pytest.mark.parametrize("name", ["pesq", "estoi"])
def test_listeners_of_speech_hear_no_other_rate(name: str, spoken: NDArray[np.float32]) -> None:
    pytest.importorskip(str(BY_NAME[name].package))
    signal = pytest.importorskip("scipy.signal")
    decoded = worse(spoken, 0.01)
    fast_decoded, fast_spoken = (signal.resample_poly(x, 3, 2) for x in (decoded, spoken))
    plain = LISTENERS[name](decoded, spoken, 16000)
    assert LISTENERS[name](fast_decoded, fast_spoken, 24000) == pytest.approx(plain, abs=0.05)


@pytest.mark.parametrize("name", LISTENERS)
def test_silence_and_splinters_have_no_opinion(name: str, spoken: NDArray[np.float32]) -> None:
    pytest.importorskip(str(BY_NAME[name].package))
    listen = LISTENERS[name]
    assert math.isnan(listen(spoken, np.zeros_like(spoken), 16000))
    assert math.isnan(listen(spoken[:999], spoken[:999], 16000))
    assert listen(np.zeros_like(spoken), spoken, 16000) <= max(1, BY_NAME[name].low)


@pytest.mark.parametrize("name", LISTENERS)
def test_missing_packages_are_named_with_their_extra(
    name: str, spoken: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, str(BY_NAME[name].package), None)
    _listener.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"pip install 'vqcodec\[sound-eval\]'"):
        LISTENERS[name](spoken, spoken, 16000)


def test_evaluation_asks_for_the_extra_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shop:
        measures = MEASURES

    monkeypatch.setattr("vqcodec.evaluation.lookup.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"PESQ .* needs pesq: .*\[sound-eval\]"):
        find_measures(Shop(), ["pesq"])  # type: ignore[arg-type]
    assert [m.name for m in find_measures(Shop(), PLAIN)] == list(PLAIN)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PLAIN)
def test_both_channels_count_and_one_may_stand_for_both(name: str) -> None:
    random = np.random.default_rng(4)
    left, right, other = random.normal(0, 0.1, (3, 4801)).astype(np.float32)
    stereo = Sound(np.stack([left, right], 1), 24000)
    decoded = Sound(np.stack([worse(left, 0.01), other], 1), 24000)
    of = BY_NAME[name].of

    def mono(samples: NDArray[np.float32]) -> Sound:
        return Sound(samples[:, None], 24000)

    each = [of(mono(decoded.samples[:, c]), mono(stereo.samples[:, c])) for c in (0, 1)]
    assert of(decoded, stereo) == pytest.approx(np.mean(each))
    mixed = mono((left + right) / 2)
    twice = Sound(np.repeat(mixed.samples, 2, 1), 24000)
    assert of(mixed, stereo) == pytest.approx(of(twice, stereo))


def test_sounds_that_cannot_be_compared_are_refused() -> None:
    one = Sound(np.zeros((100, 1), np.float32), 24000)
    for odd, text in (
        (Sound(np.zeros((100, 1), np.float32), 16000), "at 16000"),
        (Sound(np.zeros((101, 1), np.float32), 24000), "101 samples"),
        (Sound(np.zeros((100, 2), np.float32), 24000), "2 channels"),
    ):
        with pytest.raises(InputError, match=text):
            BY_NAME["mel"].of(odd, one)
