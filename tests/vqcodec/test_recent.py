"""Models that stay loaded: the same one for the same file, another once the file is another."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vqcodec
from vqcodec import recent
from vqcodec.codec import Codec, load
from vqcodec.errors import UnknownModelError
from vqcodec.model.file import read_model, write_model
from vqcodec.recent import recent_codec

Pixels = NDArray[np.uint8]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Paths of the models that are loaded, in their order; none is loaded before."""
    found: list[Path] = []

    def counted(path: Path, *, device: str) -> Codec:
        found.append(path)
        return load(path, device=device)

    monkeypatch.setattr(recent, "load", counted)
    recent._codecs.clear()
    return found


def variants(path: Path, folder: Path, count: int) -> list[Path]:
    """So many models of other fingerprints and equal sizes."""
    card, tensors = read_model(path)
    paths = [folder / f"v{number}.safetensors" for number in range(count)]
    for number, other in enumerate(paths):
        tensors["synthesis.leave.bias"] = tensors["synthesis.leave.bias"] + np.float16(0.25)
        write_model(other, f"v{number}", card.config, tensors, {})
    return paths


def test_decoding_again_loads_nothing(
    codec: Codec, tiny_model: Path, photo: Pixels, loads: list[Path]
) -> None:
    data = codec.encode(photo)
    for _ in range(3):
        np.testing.assert_array_equal(vqcodec.decode(data, device="cpu"), codec.decode(data))
    assert len(loads) == 1
    assert recent_codec("tiny", device="cpu") is recent_codec(codec.card.fingerprint, device="cpu")
    assert len(loads) == 1


def test_a_changed_file_is_read_again(tiny_path: Path, tmp_path: Path, loads: list[Path]) -> None:
    one, other = variants(tiny_path, tmp_path, 2)
    path = tmp_path / "model.safetensors"
    path.write_bytes(one.read_bytes())
    first = recent_codec(path, device="cpu")
    os.replace(other, path)
    second = recent_codec(path, device="cpu")
    assert first.card.fingerprint != second.card.fingerprint
    assert recent_codec(path, device="cpu") is second
    path.unlink()
    with pytest.raises(UnknownModelError):
        recent_codec(path, device="cpu")
    assert loads == [path, path]


def test_a_removed_model_is_unknown(
    codec: Codec, tiny_model: Path, photo: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = codec.encode(photo)
    vqcodec.decode(data)
    monkeypatch.setenv("VQCODEC_MODELS", "")
    with pytest.raises(UnknownModelError):
        vqcodec.decode(data)


def test_only_the_last_few_are_kept(tiny_path: Path, tmp_path: Path, loads: list[Path]) -> None:
    paths = variants(tiny_path, tmp_path, 5)
    for path in [*paths, paths[4], paths[1], paths[0], paths[1], paths[4]]:
        recent_codec(path, device="cpu")
    assert loads == [*paths, paths[0]]


def test_threads_that_ask_at_once_load_once(tiny_path: Path, loads: list[Path]) -> None:
    found: list[Codec] = []
    threads = [
        threading.Thread(target=lambda: found.append(recent_codec(tiny_path, device="cpu")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len({id(codec) for codec in found}) == 1
    assert len(found) == 8
