"""Sounds of other rates and channels than the model's: prepared, and given back as they were."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counted import Counted
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny import tiny_config, write_tiny

import vqcodec
from vqcodec.bitstream import Stream
from vqcodec.codec import Codec, load
from vqcodec.decoding import amount_made
from vqcodec.errors import BadModelError, InputError
from vqcodec.media.registry import read_any_stream
from vqcodec.media.sound.chunks import Rates
from vqcodec.media.sound.medium import MEDIUM
from vqcodec.media.sound.prepared import PreparedSound, mixed, unmixed
from vqcodec.media.sound.resample import Resampler
from vqcodec.media.sound.signal import Sound

RATES = (8000, 11025, 44100, 5000)


def tones(samples: int, rate: int, channels: int = 2) -> NDArray[np.float32]:
    time = np.arange(samples) / rate
    both = [np.sin(900 * time) * 0.3, np.cos(1300 * time) * 0.2]
    return np.stack(both[:channels], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def mono(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """A model of one channel."""
    import torch

    config = tiny_config(
        medium="sound",
        channels=1,
        numbers={"rate": 8000},
        stride=(8,),
        latent_dim=4,
        stages=2,
        codebook_size=16,
        region=20,
    )
    samples = 0.3 * torch.randn(4, 1, 512, generator=torch.Generator().manual_seed(0))
    path: Path = tmp_path_factory.mktemp("mono") / "mono.safetensors"
    return load(write_tiny(path, config, samples, list(samples), name="mono"), device="cpu")


def test_a_sound_of_the_model_is_not_touched(codec: Codec) -> None:
    sound = Sound(tones(99, 8000), rate=8000)
    assert MEDIUM.prepare(sound, codec.card.config) is sound


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("samples", [1, 2, 1001])
def test_as_many_samples_come_back(codec: Codec, rate: int, samples: int) -> None:
    data = codec.encode(Sound(tones(samples, rate), rate=rate), quality=100)
    found = codec.decode_signal(data)
    assert (found.rate, found.extent) == (rate, (samples,))
    assert codec.decode(data).shape == (samples, 2)
    info = vqcodec.inspect(data)
    assert info.extent == {"samples": samples}
    assert info.facts["seconds"] == samples / rate
    assert info.facts["kbps"] == pytest.approx(len(data) * rate / samples / 125)


@pytest.mark.parametrize("rate", RATES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_part_is_what_the_whole_has_there(rate: int, codec: Codec, data: Any) -> None:
    sound = Sound(tones(3001, rate), rate=rate)
    stream = read_any_stream(codec.encode(sound, quality=30))[1]
    start = data.draw(st.integers(0, 3000))
    stop = data.draw(st.integers(start + 1, 3001))
    whole = codec.decode(stream)
    part = codec.decode(stream, region=(slice(start, stop),))
    np.testing.assert_array_equal(part, whole[start:stop], strict=True)


def test_a_part_reads_what_it_needs_alone(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    data = codec.encode(Sound(tones(9001, 44100), rate=44100))
    stream, read = read_any_stream(data)[1], []
    codes_of = Stream.codes_of

    def counted(self: Stream, number: int) -> bytes | None:
        read.append(number)
        return codes_of(self, number)

    monkeypatch.setattr(Stream, "codes_of", counted)
    codec.decode(stream, region=(slice(5000, 5100),))
    # 100 samples of 44100 are 18 of 8000, and a region is 96; the filter and the network look at
    # 64 and 48 more on each side.
    assert 1 <= len(read) <= 5


@pytest.mark.parametrize("rate", [None, 8000, 24000])
def test_a_part_of_a_file_is_read_alone(codec: Codec, rate: int | None) -> None:
    data = codec.encode(Sound(tones(30001, 44100), rate=44100))
    file, part = Counted(data), (slice(2000, 2100),)
    found = codec.decode(file, region=part, rate=rate)
    np.testing.assert_array_equal(found, codec.decode(data, rate=rate)[part])
    # Of 57 regions at most 5, and the heads of those before them.
    assert 0 < file.count < len(data) / 2


def test_there_is_no_choice_of_bits(codec: Codec) -> None:
    data = codec.encode(Sound(tones(99, 8000), rate=8000))
    with pytest.raises(InputError, match="a decoded sound has no choice of bits a sample, got 16"):
        codec.decode(data, bits=16)


@pytest.mark.parametrize("rate", [8000, 12000, "model", 24000])
def test_another_rate_on_request(codec: Codec, rate: int | str) -> None:
    """As the codes have it, resampled from there."""
    data = codec.encode(Sound(tones(3001, 44100), rate=44100), quality=100)
    found = codec.decode_signal(data, rate=rate)
    number = 8000 if rate == "model" else int(rate)
    assert (found.rate, found.extent) == (number, (-(-3001 * number // 44100),))
    coded = codec.decode_signal(data, rate="model")
    if number == 8000:
        np.testing.assert_array_equal(found.samples, coded.samples)
        return
    resampler = Resampler(8000, number)
    wanted = resampler.window(
        0,
        found.extent[0],
        lambda start, stop: coded.samples[
            np.clip(np.arange(start, stop), 0, len(coded.samples) - 1)
        ],
    )
    np.testing.assert_array_equal(found.samples, wanted)


@pytest.mark.parametrize("rate", [0, 999, 768_001, 8000.0, "own", True])
def test_what_is_no_rate(codec: Codec, rate: Any) -> None:
    data = codec.encode(Sound(tones(99, 8000), rate=8000))
    with pytest.raises(InputError, match="a rate is"):
        codec.decode(data, rate=rate)


def test_middle_and_side() -> None:
    left_right = tones(9, 8000)
    middle, side = unmixed(left_right, 2)
    np.testing.assert_allclose(middle + side, left_right[:, 0], atol=1e-7)
    np.testing.assert_allclose(middle - side, left_right[:, 1], atol=1e-7)
    np.testing.assert_array_equal(unmixed(left_right, 1), mixed(left_right).T)
    assert not unmixed(left_right[:, :1], 2)[1].any()


def test_stereo_into_a_model_of_mono_is_mixed_down(mono: Codec) -> None:
    stereo = Sound(tones(999, 11025), rate=11025)
    single = Sound(mixed(stereo.samples), rate=11025)
    data = mono.encode(stereo)
    assert data == mono.encode(single)
    assert vqcodec.inspect(data).channels == 1
    assert mono.decode(data).shape == (999,)
    found = mono.decode_signal(data)
    assert MEDIUM.decibels(found, stereo) == MEDIUM.decibels(found, single)


def test_silence_stays_quiet_and_a_constant_stays_one(codec: Codec) -> None:
    for value in (0.0, 0.2):
        sound = Sound(np.full((4410, 1), value, np.float32), rate=44100)
        prepared = MEDIUM.prepare(sound, codec.card.config)
        assert isinstance(prepared, PreparedSound)
        samples = prepared.window((slice(0, 800),))
        np.testing.assert_allclose(samples, value, rtol=0, atol=1e-6)


def test_kbps(codec: Codec) -> None:
    sound = Sound(tones(8000, 16000), rate=16000)
    data = codec.encode(sound, kbps=12)
    assert len(data) <= 12 * 125 * sound.seconds
    assert len(data) > 0.97 * 12 * 125 * sound.seconds
    picture = vqcodec.load("photo", device="cpu")
    with pytest.raises(InputError, match="a picture is in bpp, got kbps"):
        picture.encode(np.zeros((9, 9), np.uint8), kbps=12)


def test_psnr_is_of_the_sound_as_it_was(codec: Codec) -> None:
    sound = Sound(tones(2000, 11025), rate=11025)
    data = codec.encode(sound, psnr=14)
    assert MEDIUM.decibels(codec.decode_signal(data), sound) >= 14


@pytest.mark.parametrize("numbers", [{}, {"rate": 999}, {"rate": 8000, "more": 1}])
def test_a_model_without_a_proper_rate_is_refused(numbers: dict[str, int]) -> None:
    config = tiny_config(medium="sound", channels=2, numbers=numbers, stride=(8,), latent_dim=4)
    with pytest.raises(BadModelError, match="a rate"):
        MEDIUM.check_model(config)


@pytest.mark.parametrize("rate", RATES)
def test_how_much_can_be_made_of_a_beginning(codec: Codec, rate: int) -> None:
    stream = read_any_stream(codec.encode(Sound(tones(3001, rate), rate=rate)))[1]
    (length,) = stream.header.extent
    for samples in (0, 1, 100, length // 2, length - 1):
        made = amount_made(stream, MEDIUM, samples)
        if made:
            assert MEDIUM.samples_for(stream, (slice(0, made),))[0].stop <= samples
        assert MEDIUM.samples_for(stream, (slice(0, made + 1),))[0].stop > samples
    assert amount_made(stream, MEDIUM, length) == 3001


def test_rates_take_no_more_bytes_than_they_need() -> None:
    assert len(Rates(24000, 24000, 10**6).pack()) == 3
    assert len(Rates(24000, 44100, 10**6).pack()) == 9
