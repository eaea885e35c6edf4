"""What evaluation and the training log show of sounds."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from sources import ROOT

from vqcodec.errors import InputError
from vqcodec.evaluation import read_published
from vqcodec.media.sound.preview import preview
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.spectrogram import shades
from vqcodec.media.sound.workshop import WORKSHOP


def tone(hertz: float, rate: int = 24000, seconds: float = 0.5) -> NDArray[np.float32]:
    time = np.arange(round(rate * seconds)) / rate
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


@pytest.mark.parametrize("rate", [16000, 24000, 48000])
@pytest.mark.parametrize("hertz", [500, 3000, 7000])
def test_a_tone_is_a_line_at_its_frequency(rate: int, hertz: int) -> None:
    grey = shades(tone(hertz, rate), rate)
    bands, columns = grey.shape
    lines = grey[:, columns // 4 : -columns // 4].argmax(0)
    found = (bands - 1 - lines) * rate / 2 / (bands - 1)
    assert np.abs(found - hertz).max() <= 50


def test_silence_is_black_and_columns_are_at_most_as_many_as_asked_for() -> None:
    assert not shades(np.zeros(24000), 24000).any()
    for length in (1, 171, 24000, 99999):
        grey = shades(np.full(length, 0.1), 24000, columns=37)
        assert 1 <= grey.shape[1] <= 37


def test_panels_stand_side_by_side() -> None:
    low, high = Sound(tone(1000)[:, None], 24000), Sound(tone(9000)[:, None], 24000)
    with Image.open(io.BytesIO(WORKSHOP.draw([("low", low), ("high", high)]))) as strip:
        drawn = np.asarray(strip)
    bands, columns = shades(low.samples[:, 0], 24000).shape
    assert drawn.shape == (26 + bands, 2 * columns + 6)
    for sound, left in ((low, 0), (high, columns + 6)):
        expected = shades(sound.samples[:, 0], 24000)
        assert np.array_equal(drawn[26:, left : left + columns], expected)


@pytest.mark.parametrize("second", [None, (24001, 24000), (24000, 16000)])
def test_what_cannot_stand_side_by_side_is_refused(second: tuple[int, int] | None) -> None:
    panels = []
    if second is not None:
        for length, rate in ((24000, 24000), second):
            panels.append(("a", Sound(np.zeros((length, 1), np.float32), rate)))
    with pytest.raises(InputError, match="one length and rate"):
        WORKSHOP.draw(panels)


def test_a_player_holds_the_samples() -> None:
    soundfile = pytest.importorskip("soundfile")
    samples = np.stack([tone(440), tone(880)], 1)
    sound = WORKSHOP.comparable(Sound(samples, 24000, {"title": "two tones"}))
    shown = WORKSHOP.exhibit(sound)
    data = {k: base64.b64decode(v) for k, v in re.findall(r"data:([a-z/]+);base64,([^\"]+)", shown)}
    assert set(data) == {"image/png", "audio/flac"}
    played, rate = soundfile.read(io.BytesIO(data["audio/flac"]), dtype="float32")
    assert rate == 24000
    assert np.array_equal(played, sound.samples)
    with Image.open(io.BytesIO(data["image/png"])) as drawn:
        assert np.array_equal(np.asarray(drawn), shades(sound.samples.mean(axis=1), 24000))


def test_codecs_are_compared_on_what_all_can_carry() -> None:
    random = np.random.default_rng(0)
    sound = Sound(random.normal(0, 0.5, (171, 2)).astype(np.float32), 24000, {"artist": "nobody"})
    plain = WORKSHOP.comparable(sound)
    assert plain.tags == {}
    steps = plain.samples * 32768
    assert np.array_equal(steps, np.round(steps))
    assert (plain.samples.min(), plain.samples.max()) == (-1, 32767 / 32768)
    inside = np.abs(sound.samples) < 0.99
    assert np.abs(plain.samples - sound.samples)[inside].max() <= 0.5 / 32768
    assert np.array_equal(WORKSHOP.comparable(plain).samples, plain.samples)


def test_rate_is_kilobits_a_second() -> None:
    sound = Sound(np.zeros((36000, 2), np.float32), 24000)
    assert WORKSHOP.rate.of(1500, sound) == pytest.approx(8.0)
    assert WORKSHOP.rate.table == (1.5, 3, 6, 12)


def test_a_preview_stands_above_what_became_of_it() -> None:
    original = torch.from_numpy(np.stack([tone(900), tone(5000)])[:, None])
    decoded = 0 * original
    shown = preview(original, decoded, rate=24000)
    bands, columns = shades(tone(900), 24000).shape
    assert shown.shape == (2 * bands, 2 * columns, 1)
    assert shown.dtype == np.uint8
    assert np.array_equal(shown[:bands, columns:, 0], shades(tone(5000), 24000))
    assert not shown[bands:].any()


def test_published_figures_can_stand_beside_ours() -> None:
    curves = read_published(ROOT / "bench/results/published/sound.json", WORKSHOP)
    assert [curve.label for curve in curves] == ["dac-44k (published)", "encodec-24k (published)"]
    for curve in curves:
        for measure in ("visqol", "si-sdr"):
            values = [point.values[measure] for point in curve.points]
            assert values == sorted(values)
        assert {key for point in curve.points for key in point.values} == {"visqol", "si-sdr"}
        rates = [point.rate for point in curve.points]
        assert rates == sorted(rates)
