"""Codes of signals in every shape in which `encode` takes them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from laws import EXAMPLES
from numpy.typing import NDArray
from PIL import Image
from tiny import write_tiny

from vqcodec import Sound
from vqcodec.codec import Codec, load
from vqcodec.errors import InputError, LimitError

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def sounds_codec(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """Of stereo at 8000 samples a second, eight of them a position, three stages."""
    example = EXAMPLES["sound"]
    samples = example.samples()
    path = tmp_path_factory.mktemp("sound") / "sound.safetensors"
    return load(write_tiny(path, example.config, samples, list(samples), name="sound"))


def test_a_picture_in_any_shape(codec: Codec, photo: Pixels, tmp_path: Path) -> None:
    samples = torch.from_numpy(photo).permute(2, 0, 1)[None] / 255
    expected = codec.quantize(samples)
    assert expected.shape == (1, 5, 19, 26)
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    for thing in (photo, Image.fromarray(photo), path, str(path), path.read_bytes()):
        assert torch.equal(codec.quantize(thing), expected)


def test_a_picture_of_other_channels_is_brought_to_those_of_the_model(
    codec: Codec, photo: Pixels
) -> None:
    grey = photo[:, :, 0]
    assert torch.equal(codec.quantize(grey), codec.quantize(np.stack([grey] * 3, axis=2)))


def test_a_sound_is_brought_to_the_rate_of_the_model(sounds_codec: Codec) -> None:
    samples = EXAMPLES["sound"].signals()[0].samples
    codes = sounds_codec.quantize((samples, 8000))
    assert codes.shape == (1, 3, 38)  # ceil(301 / 8)
    assert codes.dtype == torch.int64
    assert torch.equal(sounds_codec.quantize(Sound(samples, rate=8000)), codes)
    assert sounds_codec.quantize((samples, 16000)).shape == (1, 3, 19)


def test_a_batch_is_a_list_of_signals_of_one_extent(codec: Codec, photo: Pixels) -> None:
    parts: list[Any] = [photo[:40, :56], photo[30:70, 60:116]]
    codes = codec.quantize(parts)
    assert codes.shape == (2, 5, 5, 7)
    for part, found in zip(parts, codes, strict=True):
        assert torch.equal(codec.quantize(part)[0], found)
    with pytest.raises(InputError, match=r"of one extent, got \(40, 56\) and \(41, 56\)"):
        codec.quantize([parts[0], photo[:41, :56]])
    with pytest.raises(InputError, match="no signals"):
        codec.quantize([])


@pytest.mark.parametrize("thing", [None, 3, "missing.png", b"no picture", ["x.png"]])
def test_what_is_no_signal_is_refused(codec: Codec, thing: Any) -> None:
    with pytest.raises(InputError):
        codec.quantize(thing)


def test_a_file_of_a_signal_that_is_too_large_is_refused(codec: Codec) -> None:
    with pytest.raises(LimitError):
        codec.quantize(b"P5 100000 100000 255 " + bytes(100))
