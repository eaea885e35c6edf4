"""Restoring encoders on disk: an analysis for one model, and no other."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.codec import Codec, load
from vqcodec.errors import BadModelError, InputError, UnknownModelError
from vqcodec.model.companion import list_companions, read_companion
from vqcodec.model.file import read_model
from vqcodec.model.restorer import RESTORER, with_restorer, write_restorer

Pixels = NDArray[np.uint8]


@pytest.fixture
def restorer(tiny_path: Path, tmp_path: Path) -> Path:
    """The small model's own analysis with its last layer turned around, as a restorer."""
    card, tensors = read_model(tiny_path)
    tensors["analysis.leave.bias"] = tensors["analysis.leave.bias"] + np.float16(0.5)
    path = tmp_path / "gloom.safetensors"
    write_restorer(path, card, tensors, {"damage": "gloom"})
    return path


def test_files_are_ordinary_ones(codec: Codec, restorer: Path, photo: Pixels) -> None:
    restoring = load(codec.card.path, restore=restorer, device="cpu")
    assert restoring.card.fingerprint == codec.card.fingerprint
    data = restoring.encode(photo, quality=60)
    assert data != codec.encode(photo, quality=60)
    np.testing.assert_array_equal(codec.decode(data), restoring.decode(data))


def test_a_file_holds_the_analysis_alone(codec: Codec, restorer: Path) -> None:
    card, tensors = read_companion(restorer, RESTORER, codec.card)
    assert card.name == "gloom"
    assert card.model == codec.card.fingerprint
    assert card.metadata == {"damage": "gloom"}
    assert tensors
    assert all(name.startswith("analysis.") for name in tensors)


def test_found_by_name_beside_the_models(
    tiny_model: Path, restorer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_model / "restorers"
    folder.mkdir()
    (folder / restorer.name).write_bytes(restorer.read_bytes())
    assert ("gloom", folder / restorer.name) in [
        (c.name, c.path) for c in list_companions(RESTORER)
    ]
    codec = load("tiny", restore="gloom", device="cpu")
    assert codec.card.restorer == folder / restorer.name
    with pytest.raises(UnknownModelError, match="no restorer 'fog' for tiny-1; there are: gloom"):
        load("tiny", restore="fog")
    with pytest.raises(UnknownModelError, match="no restorer 'gloom' for photo-1"):
        load("photo", restore="gloom")
    with pytest.raises(UnknownModelError, match=r"nowhere\.safetensors"):
        load("tiny", restore="nowhere.safetensors")
    with pytest.raises(InputError, match="7"):
        load("tiny", restore=7)  # type: ignore[arg-type]


def test_of_another_model(restorer: Path) -> None:
    with pytest.raises(BadModelError, match=r"gloom\.safetensors: is for the model"):
        load("photo", restore=restorer)


def test_damage_is_noticed(tiny_path: Path, restorer: Path, tmp_path: Path) -> None:
    data = bytearray(restorer.read_bytes())
    data[-9] ^= 1
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(data)
    card, tensors = read_model(tiny_path)
    with pytest.raises(BadModelError, match="checksum"):
        with_restorer(card, tensors, damaged)
    with pytest.raises(BadModelError, match="vqcodec-restorer-1"):
        with_restorer(card, tensors, tiny_path)
    damaged.write_bytes(restorer.read_bytes()[:50])
    with pytest.raises(BadModelError, match=r"damaged\.safetensors"):
        with_restorer(card, tensors, damaged)


def test_another_architecture_than_its_tensors(
    tiny_path: Path, restorer: Path, tmp_path: Path
) -> None:
    card, tensors = read_model(tiny_path)
    short = {name: t for name, t in tensors.items() if name != "analysis.leave.bias"}
    path = tmp_path / "short.safetensors"
    write_restorer(path, card, short, {})
    with pytest.raises(BadModelError, match=r"analysis\.leave\.bias"):
        load(tiny_path, restore=path)


def test_a_target_of_decibels_is_refused(codec: Codec, restorer: Path, photo: Pixels) -> None:
    restoring = load(codec.card.path, restore=restorer, device="cpu")
    with pytest.raises(InputError, match="psnr=30 is no target of a restoring encoder"):
        restoring.encode(photo, psnr=30)


def test_the_highest_effort_does_not_look_at_the_damage(
    codec: Codec, restorer: Path, photo: Pixels
) -> None:
    restoring = load(codec.card.path, restore=restorer, device="cpu")
    latent = restoring.analyse(_samples(photo))[0]
    samples = _samples(photo)[0]
    found = [restoring.search(latent, samples=s, effort=9).at_quality(50) for s in (samples, None)]
    np.testing.assert_array_equal(found[0].numpy(), found[1].numpy())


def test_it_travels_to_another_process(codec: Codec, restorer: Path, photo: Pixels) -> None:
    restoring = load(codec.card.path, restore=restorer, device="cpu")
    again = pickle.loads(pickle.dumps(restoring))
    assert again.card.restorer == restorer
    assert again.encode(photo) == restoring.encode(photo)


def test_the_header_says_it_in_words(restorer: Path) -> None:
    raw = restorer.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])["__metadata__"]
    assert header["format"] == "vqcodec-restorer-1"
    assert json.loads(header["config"])["kind"] == "convolutional"


def _samples(pixels: Pixels):  # type: ignore[no-untyped-def]
    import torch

    padded = np.pad(pixels, ((0, -len(pixels) % 8), (0, -pixels.shape[1] % 8), (0, 0)), "edge")
    return torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 255
