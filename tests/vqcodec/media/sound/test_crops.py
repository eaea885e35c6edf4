"""Crops of sounds: how loud they become, and what becomes of two channels."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.media.crops import SignalReader
from vqcodec.media.sound.crops import SoundCrops


def crops_of(*sounds: NDArray[np.int16], crop: int = 50) -> SoundCrops:
    held = {Path(f"{index}.wav"): sound for index, sound in enumerate(sounds)}
    return SoundCrops(list(held), crop=(crop,), seed=0, reader=SignalReader(held.__getitem__))


def ramp(length: int, *, channels: int, scale: int = 1) -> NDArray[np.int16]:
    values = scale * np.arange(length, dtype=np.int16)[:, None]
    return np.repeat(values, channels, axis=1)


def test_a_crop_is_a_part_of_the_sound_times_a_gain() -> None:
    batch = crops_of(ramp(999, channels=1)).batch(40).numpy()
    assert batch.shape == (40, 1, 50)
    assert batch.dtype == np.float32
    gains = np.diff(batch[:, 0], axis=1)
    # A ramp of 1 stays a ramp: what it rises by is the gain, and where it is 0 says the place.
    np.testing.assert_allclose(gains, gains[:, :1] * np.ones(49), rtol=2e-3)
    decibels = 20 * np.log10(np.abs(gains[:, 0]) * 32768)
    assert -18.01 < decibels.min() < -12
    assert 0 < decibels.max() < 4.01
    assert (gains[:, 0] > 0).any()
    assert (gains[:, 0] < 0).any()


def test_nothing_is_louder_than_full_scale() -> None:
    batch = crops_of(ramp(300, channels=2, scale=100)).batch(60).numpy()
    assert 0.9 < np.abs(batch).max() <= 1


def test_the_side_may_change_its_sign_and_silence_may_be_moved() -> None:
    mono = ramp(500, channels=2, scale=20)
    mono[:, 1] = 0
    batch = crops_of(mono).batch(100).numpy()
    moved = np.abs(batch[:, 1]).max(axis=1) > 0
    assert 5 < moved.sum() < 40
    ratio = batch[moved, 1, -1] / batch[moved, 0, -1]
    assert ratio.min() < -0.2
    assert ratio.max() > 0.2
    wide = ramp(500, channels=2, scale=20)
    signs = np.sign(crops_of(wide).batch(60).numpy()[:, :, -1].prod(axis=1))
    assert set(signs.tolist()) == {-1.0, 1.0}


def test_short_sounds_are_left_out() -> None:
    batch = crops_of(ramp(49, channels=1, scale=7), ramp(80, channels=1)).batch(10).numpy()
    assert np.abs(np.diff(batch[:, 0], axis=1)).max() * 32768 < 2
    with pytest.raises(Exception, match="none of 1 files"):
        crops_of(ramp(49, channels=1))
