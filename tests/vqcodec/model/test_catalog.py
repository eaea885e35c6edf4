"""Where models are looked for, by what, and in which order."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqcodec.errors import BadModelError, InputError, UnknownModelError
from vqcodec.model import catalog
from vqcodec.model.catalog import (
    add_model,
    find_model,
    list_models,
    locate_model,
    model_folders,
    next_generation,
)
from vqcodec.model.file import read_card, read_model, write_model

BUILT_IN = Path(catalog.__file__).parent / "built_in"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three empty folders in place of the built-in, the configured and the user's own."""
    monkeypatch.setattr(catalog, "__file__", str(tmp_path / "package" / "catalog.py"))
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path / "configured"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    found = [
        tmp_path / "package" / "built_in",
        tmp_path / "configured",
        tmp_path / "data" / "vqcodec" / "models",
    ]
    for folder in found:
        folder.mkdir(parents=True)
    return found


@pytest.fixture
def data(tiny_path: Path) -> bytes:
    """The bytes of a small model named tiny."""
    return tiny_path.read_bytes()


def renamed(tiny_path: Path, target: Path, name: str, generation: int | None = None) -> str:
    """Write that model under another name, as another model; gives its fingerprint."""
    card, tensors = read_model(tiny_path)
    tensors["made.for"] = np.frombuffer(target.name.encode(), np.uint8)
    metadata = {} if generation is None else {"generation": generation}
    return write_model(target, name, card.config, tensors, metadata).fingerprint


def test_folders_in_order(folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_folders() == folders
    monkeypatch.delenv("VQCODEC_MODELS")
    assert model_folders() == [folders[0], folders[2]]
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(folders[0]))
    assert model_folders()[-1] == folders[0] / ".local" / "share" / "vqcodec" / "models"


def test_nothing_and_nowhere(folders: list[Path]) -> None:
    for folder in folders:
        folder.rmdir()
    assert list_models() == []


@pytest.mark.parametrize("first", [0, 1, 2])
def test_first_folder_wins(folders: list[Path], data: bytes, first: int) -> None:
    for folder in folders[first:]:
        (folder / "same.safetensors").write_bytes(data)
    assert find_model("tiny").path == folders[first] / "same.safetensors"
    assert [card.path.parent for card in list_models()] == folders[first:]


def test_by_name_and_by_fingerprint(folders: list[Path], tiny_path: Path) -> None:
    fingerprint = renamed(tiny_path, folders[2] / "b.safetensors", "moon")
    for key in ("moon", fingerprint):
        assert find_model(key).path == folders[2] / "b.safetensors"
    for key in ("b", "MOON", fingerprint[:15], fingerprint.upper() + "x", "", "*"):
        with pytest.raises(UnknownModelError):
            find_model(key)


def test_the_highest_generation_of_a_name(folders: list[Path], tiny_path: Path) -> None:
    places: list[tuple[int, str, str, int | None]]
    places = [(0, "a", "moon", 2), (1, "b", "moon", 10), (1, "c", "moon", 9), (2, "d", "moon", 10)]
    places += [(0, "e", "moon-10", 1), (2, "f", "sun", None)]
    prints = {
        file: renamed(tiny_path, folders[folder] / f"{file}.safetensors", name, generation)
        for folder, file, name, generation in places
    }
    wanted = {"moon": "b", "moon-2": "a", "moon-9": "c", "sun": "f", "sun-1": "f"}
    # A whole name goes before a name with a generation.
    wanted |= {"moon-10": "e", "moon-10-1": "e"}
    wanted |= {fingerprint: file for file, fingerprint in prints.items()}
    assert {key: find_model(key).path.stem for key in wanted} == wanted
    for key in ("moon-1", "moon-02", "moon-", "sun-2", "-1"):
        with pytest.raises(UnknownModelError):
            find_model(key)


def test_a_fingerprint_goes_before_a_name(folders: list[Path], tiny_path: Path) -> None:
    fingerprint = renamed(tiny_path, folders[2] / "a.safetensors", "moon")
    renamed(tiny_path, folders[0] / "b.safetensors", fingerprint)
    assert find_model(fingerprint).name == "moon"


def test_next_generation(folders: list[Path], tiny_path: Path) -> None:
    assert next_generation("moon") == 1
    for number, generation in enumerate((3, 7, 5)):
        renamed(tiny_path, folders[number] / "a.safetensors", "moon", generation)
    renamed(tiny_path, folders[0] / "b.safetensors", "photo", None)
    assert next_generation("moon") == 8
    assert next_generation("moo") == 1
    assert next_generation("photo") == 2


def test_built_in_models_are_the_first_generation() -> None:
    cards = [read_card(path) for path in sorted(BUILT_IN.glob("*.safetensors"))]
    assert {card.label for card in cards} >= {"photo-1", "photo-psnr-1"}


def test_a_model_is_located_by_name_or_path(folders: list[Path], tiny_path: Path) -> None:
    path = folders[1] / "a.safetensors"
    fingerprint = renamed(tiny_path, path, "moon")
    for key in ("moon", "moon-1", fingerprint, str(path), path):
        assert locate_model(key) == path
    with pytest.raises(UnknownModelError, match="no file of weights"):
        locate_model(folders[0] / "b.safetensors")


def test_a_file_of_another_kind_is_no_model(folders: list[Path]) -> None:
    picture = folders[0] / "a.png"
    picture.write_bytes(b"")
    for path in (picture, str(picture)):
        with pytest.raises(BadModelError, match=r"a\.png: not a \.safetensors file"):
            locate_model(path)
    thing: Any = 5
    with pytest.raises(InputError, match="a path, got 5"):
        locate_model(thing)


def test_unknown_model_is_named_with_the_places(folders: list[Path]) -> None:
    with pytest.raises(UnknownModelError, match="00112233aabbccdd") as caught:
        find_model("00112233aabbccdd")
    for folder in folders:
        assert str(folder) in str(caught.value)


def test_message_does_not_repeat_a_huge_key() -> None:
    with pytest.raises(UnknownModelError) as caught:
        find_model("x" * 100_000)
    assert len(str(caught.value)) < 2000


def test_a_file_that_is_no_model_hides_no_other(folders: list[Path], data: bytes) -> None:
    (folders[0] / "a.safetensors").write_bytes(b"no model")
    (folders[0] / "b.safetensors").write_bytes(data[:100])
    (folders[0] / "c.safetensors").mkdir()
    (folders[0] / "d.safetensors").symlink_to("nowhere")
    (folders[0] / "e.bin").write_bytes(data)
    (folders[0] / "f.safetensors").write_bytes(data)
    assert [card.path.name for card in list_models()] == ["f.safetensors"]


def test_add_model_copies_into_the_configured_folder(
    folders: list[Path], tiny_path: Path, data: bytes
) -> None:
    card = add_model(tiny_path)
    assert card.path == folders[1] / f"tiny-{card.fingerprint}.safetensors"
    assert card.path.read_bytes() == data
    assert [found.name for found in folders[1].iterdir()] == [card.path.name]
    assert find_model(card.fingerprint) == card


def test_add_model_makes_the_users_folder(
    folders: list[Path], tiny_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VQCODEC_MODELS")
    os.rmdir(folders[2])
    assert add_model(tiny_path).path.parent == folders[2]


def test_add_model_twice_is_one_model(folders: list[Path], tiny_path: Path) -> None:
    first = add_model(tiny_path)
    assert add_model(tiny_path).path == first.path
    assert add_model(first.path).path == first.path
    assert len(list_models()) == 1
    assert read_model(first.path)[0].name == "tiny"


def test_add_model_refuses_what_could_not_be_loaded(
    folders: list[Path], tiny_path: Path, tmp_path: Path
) -> None:
    card, tensors = read_model(tiny_path)
    del tensors["codebooks"]
    write_model(tmp_path / "odd.safetensors", "odd", card.config, tensors, {})
    with pytest.raises(BadModelError, match="holds no"):
        add_model(tmp_path / "odd.safetensors")
    assert list(folders[1].iterdir()) == []


def test_add_model_refuses_a_damaged_file(folders: list[Path], tmp_path: Path, data: bytes) -> None:
    damaged = bytearray(data)
    damaged[-1] ^= 1
    for bad in (bytes(damaged), data[:-1], b""):
        path = tmp_path / "bad.safetensors"
        path.write_bytes(bad)
        with pytest.raises(BadModelError):
            add_model(path)
    assert list(folders[1].iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "/etc/passwd", "", ".hidden", "a/b", "Größe", "x" * 65, "a\nb", "a\n"),
        *(" a", "a ", "a.", "a.safetensors"),
    ],
)
def test_add_model_refuses_a_name_that_is_no_file_name(
    folders: list[Path], tiny_path: Path, tmp_path: Path, name: str
) -> None:
    renamed(tiny_path, tmp_path / "odd.safetensors", name)
    with pytest.raises(BadModelError, match="cannot be the name of a model"):
        add_model(tmp_path / "odd.safetensors")
    assert list(folders[1].iterdir()) == []


@pytest.mark.parametrize("name", ["XRay", "X-ray 2", "a_b.c", "7", "x" * 64])
def test_added_model_is_found_by_its_name(tiny_path: Path, tmp_path: Path, name: str) -> None:
    renamed(tiny_path, tmp_path / "odd.safetensors", name)
    card = add_model(tmp_path / "odd.safetensors")
    assert find_model(name) == find_model(f"{name}-1") == card
    assert locate_model(name) == card.path


def test_add_model_refuses_another_encoder_of_a_model_elsewhere(
    folders: list[Path], tiny_path: Path, data: bytes, tmp_path: Path
) -> None:
    """It would decode alike, under one name and one fingerprint; or its encoder is damaged."""
    (folders[0] / "tiny.safetensors").write_bytes(data)
    assert add_model(tiny_path).path.parent == folders[0]
    card, tensors = read_model(tiny_path)
    name = next(name for name in tensors if name.startswith("analysis."))
    tensors[name] = tensors[name] + tensors[name].dtype.type(1)
    path = tmp_path / "other.safetensors"
    assert write_model(path, card.name, card.config, tensors, {}).fingerprint == card.fingerprint
    with pytest.raises(BadModelError, match="decodes as tiny-1 does, but its file is another one"):
        add_model(path)
    assert len(list_models()) == 1
