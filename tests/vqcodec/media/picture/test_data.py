"""Opening training data: which pictures serve as batches, which as whole ones."""

import dataclasses
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from vqcodec.errors import InputError
from vqcodec.media.picture.data import open_data
from vqcodec.media.picture.recipes import RECIPES

Pixels = NDArray[np.uint8]
PHOTO = dataclasses.replace(RECIPES["photo"], crop=(16, 16))
DIGITS = RECIPES["digits"]


def save_folder(folder: Path, count: int) -> Path:
    """Pictures of one colour each, the n-th (n, n, n), the first one of them grey."""
    folder.mkdir()
    for number in range(count):
        pixels = np.full((20, 30 + number), number, np.uint8)
        image = Image.fromarray(pixels if number == 0 else np.stack([pixels] * 3, 2))
        image.save(folder / f"{number:03}.png")
    return folder


def write_idx(path: Path, pictures: Pixels) -> Path:
    path.write_bytes(struct.pack(">IIII", 0x803, *pictures.shape) + pictures.tobytes())
    return path


def test_every_n_th_picture_of_a_folder_is_held_out(tmp_path: Path) -> None:
    batches, whole = open_data(save_folder(tmp_path / "a", 25), PHOTO, 0)
    kept = set(range(25)) - {0, 10, 20}
    assert [tuple(p.shape) for p in whole] == [(3, 20, 30 + number) for number in sorted(kept)]
    seen = (batches.batch(400)[:, :, 3, 3] * 255).round().int()
    assert set(seen.flatten().tolist()) == kept
    assert batches.batch(2).shape == (2, 3, 16, 16)


def test_whole_pictures_are_what_the_model_takes(tmp_path: Path) -> None:
    _, whole = open_data(save_folder(tmp_path / "a", 3), PHOTO, 0)
    for number, samples in enumerate(whole):
        assert samples.dtype == torch.float32
        assert torch.equal(samples, torch.full((3, 20, 30 + number), number) / 255)


def test_seeds_draw_batches_of_their_own(tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "a", 9)
    first, same, other = (open_data(folder, PHOTO, seed)[0].batch(50) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_an_idx_file_is_taken_whole(tmp_path: Path) -> None:
    digits = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    batches, whole = open_data(write_idx(tmp_path / "digits.idx", digits), DIGITS, 0)
    found = torch.stack(list(whole))
    assert torch.equal(found, torch.from_numpy(digits)[:, None].float() / 255)
    rows = {tuple(row.flatten().tolist()) for row in found}
    assert {tuple(row.flatten().tolist()) for row in batches.batch(100)} <= rows


def test_bad_pictures_are_left_out_of_both(tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "a", 5)
    (folder / "003.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(InputError, match=r"003\.png"):
        open_data(folder, PHOTO, 0)
    told: list[tuple[str, str]] = []
    batches, whole = open_data(
        folder, PHOTO, 0, skipped=lambda path, why: told.append((path.name, why))
    )
    assert [name for name, _ in told] == ["003.png"]
    assert str(folder) not in told[0][1]
    assert [samples.shape[2] for samples in whole] == [30, 31, 32, 34]
    assert set((batches.batch(99)[:, 0, 0, 0] * 255).round().int().tolist()) == {0, 1, 2, 4}
    _, whole = open_data(folder, PHOTO, 0, skipped=lambda path, why: None)
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="none of 5 pictures can be read"):
        list(whole)


def test_places_that_the_recipe_cannot_train_on(tmp_path: Path) -> None:
    digits = np.zeros((3, 8, 8), np.uint8)
    with pytest.raises(InputError, match="not on a folder"):
        open_data(tmp_path, DIGITS, 0)
    with pytest.raises(InputError, match=r"small\.idx: .*28, 28"):
        open_data(write_idx(tmp_path / "small.idx", digits), DIGITS, 0)
    with pytest.raises(InputError, match=r"empty\.idx: holds no pictures"):
        open_data(write_idx(tmp_path / "empty.idx", digits[:0]), DIGITS, 0)
    with pytest.raises(InputError, match="no pictures found"):
        open_data(tmp_path, PHOTO, 0)
    folder, large = save_folder(tmp_path / "a", 2), dataclasses.replace(PHOTO, crop=(64, 64))
    with pytest.raises(InputError, match="64 x 64"):
        open_data(folder, large, 0)
