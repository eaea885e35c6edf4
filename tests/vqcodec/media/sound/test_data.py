"""Which sounds of a folder are trained on, which the priors see, and which nobody."""

import dataclasses
import wave
from pathlib import Path

import numpy as np
import pytest

from vqcodec.errors import InputError
from vqcodec.media.sound.data import open_data
from vqcodec.media.sound.recipes import RECIPES

SHORT = dataclasses.replace(RECIPES["speech"], crop=(1600,))
RATE = 16000


def save(path: Path, level: int, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.full(round(seconds * RATE), level, "<i2").tobytes())


def test_held_out_sounds_are_neither_trained_on_nor_shown_to_the_priors(tmp_path: Path) -> None:
    # Every tenth is held out: those are silent here.
    for number in range(25):
        save(tmp_path / f"{number:02}.wav", 0 if number % 10 == 0 else 1000 + number, 0.2)
    batches, signals = open_data(tmp_path, SHORT, 0)
    levels = sorted({round(float(signal.mean()) * 32768) for signal in signals})
    assert levels == [1000 + number for number in range(25) if number % 10]
    assert bool((batches.batch(200).abs().amax((1, 2)) > 0).all())


def test_the_priors_see_the_first_seconds_of_each(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.wav", 1000, 10.5 - number)
    _, signals = open_data(tmp_path, SHORT, 0)
    assert [signal.shape for signal in signals] == [(1, 10 * RATE), (1, 152000), (1, 136000)]


def test_a_folder_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder of sounds"):
        open_data(tmp_path / "a.wav", SHORT, 0)
