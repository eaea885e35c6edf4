"""What a folder of arrays makes of the recipe."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vqcodec.errors import InputError
from vqcodec.media.field.data import open_data, suited
from vqcodec.media.field.recipes import RECIPES

RECIPE = RECIPES["array"]
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(name: str, *shape: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        np.save(path, np.add.reduce(np.indices(shape)).astype(np.float32))
        return path

    return saved


def test_large_arrays_of_one_channel_need_nothing(save: Save, tmp_path: Path) -> None:
    save("a.npy", 300, 256)
    save("b.npy", 1, 256, 400)
    assert suited(RECIPE, tmp_path) == RECIPE


def test_channels_are_those_of_most_files(save: Save, tmp_path: Path) -> None:
    for number in range(3):
        save(f"bands/{number}.npy", 4, 300, 300)
    save("a.npy", 300, 300)
    save("b.npy", 5, 300, 300)
    found = suited(RECIPE, tmp_path)
    assert (found.model.medium.channels, found.crop) == (4, (192, 192))
    assert found.model.synthesis.latent_dim == 192
    told: list[str] = []
    batches, signals = open_data(
        tmp_path, found, 0, skipped=lambda path, why: told.append(f"{path.name}: {why}")
    )
    assert tuple(batches.batch(2).shape) == (2, 4, 192, 192)
    assert len(list(signals)) == 3
    assert sorted(told) == [
        "a.npy: the model is for fields of 4 channels, which come first, got 1: (300, 300)",
        "b.npy: the model is for fields of 4 channels, which come first, got 5: (5, 300, 300)",
    ]


def test_crops_fit_into_most_files(save: Save, tmp_path: Path) -> None:
    for number, rows in enumerate((40, 67, 500)):
        save(f"{number}.npy", rows, 90)
    found = suited(RECIPE, tmp_path)
    assert found.crop == (64, 80)
    batches, _ = open_data(tmp_path, found, 0)
    assert tuple(batches.batch(3).shape) == (3, 1, 64, 80)


def test_what_is_no_data_is_refused(save: Save, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no arrays found \(\.npy\)"):
        suited(RECIPE, tmp_path)
    wave = save("wave.npy", 900)
    with pytest.raises(InputError, match=r"no arrays \(H, W\) or \(C, H, W\)"):
        suited(RECIPE, tmp_path)
    for refused in (suited, lambda recipe, place: open_data(place, recipe, 0)):
        with pytest.raises(InputError, match=r"on a folder of \.npy files"):
            refused(RECIPE, wave)
    save("thin.npy", 9, 900)
    with pytest.raises(InputError, match="fewer than 16 rows"):
        suited(RECIPE, tmp_path)


def test_files_that_are_no_arrays_are_told_when_they_are_read(save: Save, tmp_path: Path) -> None:
    save("a.npy", 256, 256)
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "words.npy").write_bytes(b"words")
    found = suited(RECIPE, tmp_path)
    told: list[str] = []
    open_data(tmp_path, found, 0, skipped=lambda path, why: told.append(path.name))
    assert sorted(told) == ["bad.npy", "words.npy"]
