"""The built-in models of sound on a sound that is made here: rates, parts, threads, as it comes."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

import vqcodec
from vqcodec.bitstream import Limits
from vqcodec.media.registry import read_any_stream

MODELS = ["speech", "sound"]


@cache
def codec_of(name: str) -> vqcodec.Codec:
    return vqcodec.load(name, device="cpu")


@cache
def voice(seconds: float, rate: int) -> NDArray[np.float32]:
    """A hoarse voice, nearly: harmonics of a gliding tone, in syllables, and breath."""
    t = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(130 + 40 * np.sin(2 * np.pi * 0.4 * t)) / rate
    tone = np.zeros(len(t))
    for k in range(1, 25):
        tone += np.sin(k * phase) / k**1.2 * (220 * k < rate / 2)
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * t) + 0.3, 0, 1)
    breath = np.random.default_rng(1).standard_normal(len(t)) * 0.03
    samples = 0.12 * tone * syllables + breath * syllables[::-1]
    return samples.astype(np.float32)


def decibels(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    error = np.square(found - wanted).mean()
    return float(10 * np.log10(np.square(wanted).mean() / error))


@pytest.mark.parametrize("name", MODELS)
def test_more_bytes_bring_it_nearer(name: str) -> None:
    codec, rate = codec_of(name), codec_of(name).card.config.medium.numbers["rate"]
    sound = voice(4.3, rate)
    rates, near = [], []
    for quality in (5, 30, 60, 100):
        data = codec.encode((sound, rate), quality=quality)
        rates.append(8 * len(data) / 4.3 / 1000)
        near.append(decibels(codec.decode(data), sound))
    assert rates == sorted(rates)
    assert near == sorted(near)
    assert rates[0] < 1.2
    assert 5 < rates[-1] < 10
    assert near[-1] > 3


@pytest.mark.parametrize("name", MODELS)
def test_a_file_is_smaller_than_its_codes(name: str) -> None:
    """The entropy coder, on codes that every stage has a say in."""
    codec, rate = codec_of(name), codec_of(name).card.config.medium.numbers["rate"]
    data = codec.encode((voice(9.7, rate), rate), quality=60)
    codes = codec.decode_codes(read_any_stream(data, Limits())[1])
    raw = codes.size * math.log2(codec.card.config.quantizer.codebook_size) / 8
    assert len(data) < 0.9 * raw


@pytest.mark.parametrize("name", MODELS)
def test_threads_and_blocks_make_no_difference(name: str) -> None:
    """Three regions: encoded on one thread and on two, and block by block."""
    codec = codec_of(name)
    sound = voice(11.2, 22050)
    data = codec.encode((sound, 22050), threads=1)
    assert codec.encode((sound, 22050), threads=2) == data
    encoder = vqcodec.SoundEncoder(codec, rate=22050, samples=len(sound))
    pushed = [encoder.push(sound[start : start + 7001]) for start in range(0, len(sound), 7001)]
    assert b"".join([*pushed, encoder.close()]) == data
    assert next(n for n, piece in enumerate(pushed) if piece) < len(pushed) - 1
    decoder = vqcodec.SoundDecoder(codec)
    blocks = [decoder.push(data[start : start + 777]) for start in range(0, len(data), 777)]
    heard = np.concatenate([block for block in blocks if block is not None])
    decoder.close()
    np.testing.assert_array_equal(heard.reshape(-1), codec.decode(data, threads=2))


@pytest.mark.parametrize("name", MODELS)
def test_a_part_is_what_the_whole_has_there(name: str) -> None:
    codec, rate = codec_of(name), codec_of(name).card.config.medium.numbers["rate"]
    data = codec.encode((voice(11.2, rate), rate), quality=40)
    part = slice(int(4.9 * rate), int(5.3 * rate))
    np.testing.assert_array_equal(codec.decode(data, region=[part]), codec.decode(data)[part])


def test_the_sides_of_stereo_stay_apart() -> None:
    codec = codec_of("sound")
    sides = np.stack([voice(3.0, 24000), 0.05 * voice(3.0, 24000)[::-1]], 1)
    found = codec.decode(codec.encode((sides, 24000), quality=90))
    assert found.shape == sides.shape
    left, right = (float(np.sqrt(np.square(found[:, side]).mean())) for side in (0, 1))
    # A side that the other one drowns out is some 11 dB below it.
    assert left > 2.5 * right


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("length", [1, 2, 319, 481])
def test_the_shortest_sounds(name: str, length: int) -> None:
    codec = codec_of(name)
    for sound in (voice(1.0, 8000)[:length], np.zeros(length, np.float32)):
        found = codec.decode(codec.encode((sound, 8000)))
        assert found.shape == (length,)
        assert np.isfinite(found).all()


@pytest.mark.parametrize("name", MODELS)
def test_silence_stays_quiet(name: str) -> None:
    codec = codec_of(name)
    data = codec.encode((np.zeros(30000, np.float32), 16000), quality=50)
    assert len(data) < 300
    assert np.abs(codec.decode(data)).max() < 0.01


@pytest.mark.parametrize("name", MODELS)
def test_it_looks_ahead_less_than_a_tenth_of_a_second(name: str) -> None:
    """Both networks together: a position ahead for each convolution that looks, half a block."""
    config = codec_of(name).card.config
    rate, size = config.medium.numbers["rate"], config.synthesis.stride[0]
    looked = config.analysis.as_dict()["ahead"] + config.synthesis.as_dict()["ahead"]
    overlap = config.synthesis.as_dict()["overlap"]
    assert (looked * size + overlap) / rate < 0.1
