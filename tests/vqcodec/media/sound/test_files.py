"""Files that libsndfile reads and writes, and long ones that are read as they are asked for."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from vqcodec.bitstream import Limits
from vqcodec.codec import Codec
from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.registry import medium_of, signal_of
from vqcodec.media.sound import files
from vqcodec.media.sound.blocks import SoundBlocks
from vqcodec.media.sound.medium import MEDIUM
from vqcodec.media.sound.signal import Sound


def tones(samples: int, channels: int = 2) -> NDArray[np.float32]:
    time = np.arange(samples) / 8000
    both = np.stack([np.sin(900 * time), np.cos(1300 * time)], axis=1)[:, :channels]
    rounded: NDArray[np.float32] = (np.rint(both * 8192) / 32768).astype(np.float32)
    return rounded


def written(format: str, subtype: str | None = None, *, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tones(9001), rate, format=format, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("kind", [("FLAC", "PCM_16"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT")])
def test_what_loses_nothing(kind: tuple[str, str]) -> None:
    data = written(*kind)
    assert medium_of(data).name == MEDIUM.name
    found = MEDIUM.read(data, Limits())
    assert found.rate == 8000
    np.testing.assert_array_equal(found.samples, tones(9001), strict=True)


@pytest.mark.parametrize(
    ("format", "subtype", "most"),
    [("OGG", "VORBIS", 0.05), ("OGG", "OPUS", 0.1), ("MP3", None, 0.1), ("WAV", "ULAW", 0.01)],
)
def test_what_loses_a_little(format: str, subtype: str | None, most: float) -> None:
    data = written(format, subtype)
    assert medium_of(data).name == MEDIUM.name
    found = MEDIUM.read(data, Limits())
    assert (found.extent, found.channels) == ((9001,), 2)
    error = np.abs(found.samples - tones(9001))[500:-500].max()
    assert 0 < error < most


@pytest.mark.parametrize(("format", "most"), [("flac", 0.0), ("ogg", 0.05)])
def test_what_is_written(format: str, most: float) -> None:
    tags = {"title": "früh", "artist": "nobody"}
    sound = Sound(tones(70001), rate=22050, tags=tags)
    data = MEDIUM.write(sound, format=format)
    found = MEDIUM.read(data, Limits())
    assert (found.rate, found.extent) == (22050, (70001,))
    assert found.tags.items() >= tags.items()
    assert np.abs(found.samples - sound.samples).max() <= most
    with pytest.raises(InputError, match="damaged"):
        MEDIUM.read(data[:20], Limits())


def test_a_rate_that_a_format_cannot_hold() -> None:
    with pytest.raises(InputError, match="cannot write the sound as flac"):
        MEDIUM.write(Sound(tones(9), rate=768_000), format="flac")


def test_a_file_that_was_cut() -> None:
    data = written("FLAC")
    with pytest.raises(InputError, match=r"damaged or cut off|of an unknown format"):
        MEDIUM.read(data[: len(data) // 2], Limits())


def test_without_soundfile_wav_is_read_and_others_say_what_they_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, flac = MEDIUM.write(Sound(tones(9), rate=8000), format="wav"), written("FLAC")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert MEDIUM.read(data, Limits()).extent == (9,)
    for refused in (
        lambda: MEDIUM.read(flac, Limits()),
        lambda: MEDIUM.write(Sound(tones(9), rate=8000), format="ogg"),
    ):
        with pytest.raises(MissingDependencyError, match=r"vqcodec\[sound\]"):
            refused()


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_a_long_file_is_the_same_in_blocks(
    format: str, codec: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(MEDIUM.write(Sound(tones(20011), rate=11025), format=format))
    whole = codec.encode(path)
    monkeypatch.setattr(files, "_LARGE", 1000)
    monkeypatch.setattr(files, "_BLOCK", 777)
    opened = signal_of(MEDIUM, path)
    assert isinstance(opened, SoundBlocks)
    assert codec.encode(path) == whole
    # A target draws the blocks again and again.
    assert len(codec.encode(path, size=1700)) <= 1700
    assert codec.encode(path, psnr=12)
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(InputError, match=r"damaged|ends after"):
        codec.encode(path)


@pytest.mark.parametrize(
    ("thing", "wrong"),
    [
        (np.zeros(9, np.float32), "do not say their rate"),
        ((np.zeros((9, 3), np.float32), 8000), r"\(9, 3\)"),
        ((np.zeros(9, np.uint8), 8000), "float, int16 or int32"),
        ((np.full(9, np.nan), 8000), "finite"),
        ((np.zeros(9), 8), "rate must be"),
        ((np.zeros(0), 8000), "empty"),
        ((1, 2), "got tuple"),
    ],
)
def test_what_is_no_sound(thing: object, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        MEDIUM.wrap(thing)


def test_samples_and_their_rate_in_every_form() -> None:
    import torch

    samples = tones(9)
    for thing in (
        (samples, 8000),
        (8000, samples),
        (samples.astype(np.float64), 8000),
        ((samples * 32768).astype(np.int16), 8000),
        (torch.from_numpy(samples.T.copy()), 8000),
    ):
        wrapped = MEDIUM.wrap(thing)
        assert isinstance(wrapped, Sound)
        np.testing.assert_array_equal(wrapped.samples, samples, strict=True)


@pytest.mark.parametrize("text", ["", " ", "\0nul"])
@pytest.mark.parametrize("format", ["flac", "ogg", "wav"])
def test_tags_that_say_nothing_are_left_out(text: str, format: str) -> None:
    """libsndfile refuses them."""
    sound = Sound(tones(800), rate=8000, tags={"album": text})
    assert MEDIUM.read(MEDIUM.write(sound, format=format), Limits()).tags == {}
