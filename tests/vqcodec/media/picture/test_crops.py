"""Where training pictures come from: folders, crops, held-out splits."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.media.crops import split_files
from vqcodec.media.picture.crops import PictureCrops, find_pictures, picture_reader, read_rgb

Pixels = NDArray[np.uint8]


def numbered(height: int, width: int, channels: int = 3) -> Pixels:
    """A picture in which every pixel is another one: red its row, green its column."""
    rows, columns = np.mgrid[:height, :width]
    planes = [rows, columns, (7 * rows + columns) % 256, np.full_like(rows, 9)]
    return np.stack(planes[:channels], axis=2).astype(np.uint8)


def save(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(path)
    return path


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    wanted = [
        save(tmp_path / "b" / "deep" / "z.PNG", numbered(4, 4)),
        save(tmp_path / "a.jpg", numbered(4, 4)),
        save(tmp_path / "c.webp", numbered(4, 4)),
    ]
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    for hidden in ("._x.png", ".hidden.png", ".git/x.png", "b/.deep/er/x.png"):
        save(tmp_path / hidden, numbered(4, 4))
    assert find_pictures(tmp_path) == sorted(wanted)


def test_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    for folder in (tmp_path, tmp_path / "nowhere", tmp_path / "notes.txt"):
        with pytest.raises(InputError, match="no pictures found"):
            find_pictures(folder)


@given(count=st.integers(10, 3000), held_out=st.integers(1, 64))
@settings(deadline=None, max_examples=100)
def test_held_out_pictures_are_never_trained_on(count: int, held_out: int) -> None:
    paths = [Path(f"{number:04}.png") for number in range(count)]
    kept, held = split_files(paths, held_out=held_out)
    assert set(kept) & set(held) == set()
    assert sorted(kept + held) == paths
    assert 1 <= len(held) <= held_out
    assert len(held) <= -(-count // 10)
    assert (kept, held) == split_files(paths, held_out=held_out)


def test_few_pictures_serve_as_both() -> None:
    paths = [Path(f"{number}.png") for number in range(9)]
    assert split_files(paths, held_out=32) == (paths, paths)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_three_channels_of_any_picture(tmp_path: Path, channels: int) -> None:
    pixels = numbered(5, 7, channels)
    found = read_rgb(save(tmp_path / "a.png", pixels))
    wanted = np.repeat(pixels, 3, axis=2) if channels == 1 else pixels[:, :, :3]
    np.testing.assert_array_equal(found, wanted)
    assert found.flags.c_contiguous


def test_picture_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(InputError, match=r"broken\.png"):
        read_rgb(tmp_path / "broken.png")


def test_folder_that_is_hidden_itself(tmp_path: Path) -> None:
    path = save(tmp_path / ".data" / "a.png", numbered(4, 4))
    assert find_pictures(tmp_path / ".data") == [path]


def damage(path: Path, how: str) -> None:
    if how == "missing":
        path.unlink()
    elif how == "animated":
        frames = [Image.fromarray(numbered(9 + n, 9)[:9]) for n in range(2)]
        frames[0].save(path, save_all=True, append_images=[frames[1].rotate(90)])
    else:
        path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize("how", ["cut", "animated", "missing"])
def test_bad_pictures_are_skipped_and_named_once(tmp_path: Path, how: str) -> None:
    paths = [save(tmp_path / f"{n}.webp", numbered(9, 9)) for n in range(6)]
    for path in paths[1:3]:
        damage(path, how)
    told: list[Path] = []
    reader = picture_reader(lambda path, why: told.append(path) if why else None)
    crops = PictureCrops(paths, side=8, seed=0, reader=reader)
    assert len(crops._signals) == 4
    assert reader.read(paths[1]) is None
    assert sorted(told) == paths[1:3]
    with pytest.raises((InputError, FileNotFoundError), match=r"[12]\.webp"):
        PictureCrops(paths, side=8, seed=0)
    with pytest.raises(InputError, match="can be read"):
        PictureCrops(paths[1:3], side=8, seed=0, reader=reader)


def draw(crops: PictureCrops, size: int) -> Tensor:
    """A batch as the pixels that it was made of, uint8."""
    batch = crops.batch(size)
    assert batch.dtype == torch.float32
    pixels = (batch * 255).round().byte()
    assert torch.equal(pixels.float() / 255, batch)
    return pixels


def test_crops_are_parts_of_pictures(tmp_path: Path) -> None:
    """A crop holds consecutive rows and columns, perhaps mirrored, perhaps transposed."""
    paths = [save(tmp_path / "a.png", numbered(40, 50)), save(tmp_path / "b.png", numbered(9, 90))]
    crops = PictureCrops(paths, side=8, seed=0)
    batch = draw(crops, 200).numpy().astype(np.int64)
    assert batch.shape == (200, 3, 8, 8)
    seen = set()
    for red, green, blue in batch:
        np.testing.assert_array_equal(blue, (7 * red + green) % 256)
        turned = red[0, 0] == red[0, 1]
        down, right = (red, green) if turned else (green, red)
        steps = (int(down[1, 0] - down[0, 0]), int(right[0, 1] - right[0, 0]))
        offset = np.arange(8)
        np.testing.assert_array_equal(down, down[0, 0] + steps[0] * offset[:, None] + 0 * offset)
        np.testing.assert_array_equal(right, right[0, 0] + steps[1] * offset + 0 * offset[:, None])
        seen.add((bool(turned), *steps))
    assert seen == {(turn, a, b) for turn in (True, False) for a in (-1, 1) for b in (-1, 1)}


def test_crops_depend_on_the_seed_alone(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{n}.png", numbered(20 + n, 30)) for n in range(3)]
    first, same, other = (PictureCrops(paths, side=8, seed=seed) for seed in (5, 5, 6))
    wanted = first.batch(16)
    assert torch.equal(wanted, same.batch(16))
    assert not torch.equal(wanted, other.batch(16))
    assert not torch.equal(wanted, first.batch(16))


def test_a_run_that_goes_on_does_not_see_its_first_crops_again(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", numbered(40, 30))
    fresh, resumed, same = (PictureCrops([path], side=8, seed=5) for _ in range(3))
    resumed.go_on(100)
    same.go_on(100)
    batch = resumed.batch(16)
    assert not torch.equal(batch, fresh.batch(16))
    assert torch.equal(batch, same.batch(16))


def test_large_pictures_are_drawn_more_often(tmp_path: Path) -> None:
    small, large = numbered(10, 10), numbered(30, 30)
    small[:, :, 2], large[:, :, 2] = 0, 255
    paths = [save(tmp_path / "s.png", small), save(tmp_path / "l.png", large)]
    batch = draw(PictureCrops(paths, side=4, seed=0), 1000)
    assert float((batch[:, 2, 0, 0] == 255).float().mean()) == pytest.approx(0.9, abs=0.04)


def test_pictures_smaller_than_a_crop_are_left_out(tmp_path: Path) -> None:
    small = save(tmp_path / "small.png", numbered(7, 100))
    exact = save(tmp_path / "exact.png", numbered(8, 8))
    assert PictureCrops([small, exact], side=8, seed=0).batch(4).shape == (4, 3, 8, 8)
    with pytest.raises(InputError, match="8 x 8"):
        PictureCrops([small], side=8, seed=0)


def colours_until(crops: PictureCrops, wanted: set[int]) -> set[int]:
    """The blue of the pictures in batch after batch, until all that are wanted were seen."""
    seen: set[int] = set()
    deadline = time.monotonic() + 30
    while not wanted <= seen and time.monotonic() < deadline:
        seen |= set(draw(crops, 4)[:, 2, 0, 0].tolist())
    return seen


def test_pictures_that_memory_cannot_hold_take_turns(tmp_path: Path) -> None:
    paths = []
    for number in range(5):
        picture = numbered(20, 20)
        picture[:, :, 2] = number
        paths.append(save(tmp_path / f"{number}.png", picture))
    small = save(tmp_path / "small.png", np.full((7, 90, 3), 99, np.uint8))
    crops = PictureCrops([*paths, small], side=8, seed=0, memory=2 * 20 * 20 * 3)
    assert len(crops._signals) == 3
    assert colours_until(crops, set(range(5))) == set(range(5))
    assert len(crops._signals) == 3


def test_exchanged_pictures_are_drawn_by_their_own_size(tmp_path: Path) -> None:
    """A large picture that took the place of a small one is drawn as often as a large one is."""
    small, large = numbered(10, 10), numbered(30, 30)
    small[:, :, 2], large[:, :, 2] = 0, 255
    path = save(tmp_path / "a.png", small)
    crops = PictureCrops([path, save(tmp_path / "b.png", small)], side=4, seed=0, memory=300)
    save(tmp_path / "c.png", large).replace(path)
    assert 255 in colours_until(crops, {0, 255})
    for _ in range(1000):
        sizes = sorted(picture.shape[0] for picture in crops._signals)
        if sizes == [10, 30]:
            break
        crops.batch(1)
        time.sleep(0.001)
    crops._others = None
    batch = draw(crops, 1000)
    assert float((batch[:, 2, 0, 0] == 255).float().mean()) == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize("how", ["cut", "missing"])
def test_unreadable_picture_in_exchange_stops_a_strict_run_alone(tmp_path: Path, how: str) -> None:
    paths = [save(tmp_path / f"{number}.png", numbered(20, 20)) for number in range(2)]
    crops = PictureCrops(paths, side=8, seed=0, memory=20 * 20 * 3)
    told: list[Path] = []
    reader = picture_reader(lambda path, why: told.append(path))
    patient = PictureCrops(paths, side=8, seed=0, memory=20 * 20 * 3, reader=reader)
    for path in paths:
        damage(path, how)
    deadline = time.monotonic() + 30
    while len(told) < 2 and time.monotonic() < deadline:
        assert patient.batch(4).shape == (4, 3, 8, 8)
    assert sorted(told) == paths
    with pytest.raises((InputError, FileNotFoundError), match=r"[01]\.png"):
        colours_until(crops, {999})
