"""Missing parts filled in: what is there stays, what is drawn differs from seed to seed."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.inpainting import Inpainter, as_mask
from vqcodec.model.file import read_model
from vqcodec.model.restorer import write_restorer

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def inpainter(tiny_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Inpainter:
    """The small model's own analysis: how well it guesses is not what is asked here."""
    card, tensors = read_model(tiny_path)
    path = tmp_path_factory.mktemp("restorers") / "mask.safetensors"
    write_restorer(path, card, tensors, {})
    return Inpainter(tiny_path, restore=path, device="cpu")


def hole(pixels: Pixels) -> NDArray[np.bool_]:
    mask = np.zeros(pixels.shape[:2], bool)
    mask[40:77, 60:99] = True
    return mask


def test_what_is_there_stays(inpainter: Inpainter, photo: Pixels) -> None:
    mask = hole(photo)
    for options in ({}, {"seed": 3}, {"seed": 3, "drawn_from": 0}):
        (filled,) = inpainter.fill(photo, mask, **options)
        assert filled.dtype == np.uint8
        np.testing.assert_array_equal(filled[~mask], photo[~mask])
        assert not np.array_equal(filled[mask], photo[mask])


def test_nothing_of_what_is_missing_is_looked_at(inpainter: Inpainter, photo: Pixels) -> None:
    mask = hole(photo)
    other = photo.copy()
    other[mask] = 255 - other[mask]
    for options in ({}, {"seed": 1, "drawn_from": 1}):
        first, second = (next(inpainter.fill(p, mask, **options)) for p in (photo, other))
        np.testing.assert_array_equal(first, second)


def test_variants(inpainter: Inpainter, photo: Pixels) -> None:
    mask = hole(photo)
    found = list(inpainter.fill(photo, mask, seed=1, count=3))
    assert len({pixels.tobytes() for pixels in found}) == 3
    np.testing.assert_array_equal(found[0], next(inpainter.fill(photo, mask, seed=1)))
    guess = next(inpainter.fill(photo, mask))
    # All stages guessed, none drawn.
    np.testing.assert_array_equal(guess, next(inpainter.fill(photo, mask, seed=1, drawn_from=5)))


@pytest.mark.parametrize("channels", [0, 1, 2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_alpha_and_sixteen_bits(
    inpainter: Inpainter, photo: Pixels, channels: int, dtype: type[np.unsignedinteger]
) -> None:
    grey = photo[..., :1]
    pixels = {0: photo[..., 0], 1: grey, 2: photo[..., :2], 4: np.dstack([photo, grey])}[channels]
    pixels = pixels.astype(dtype) * (257 if dtype is np.uint16 else 1)
    mask = hole(photo)
    filled = next(inpainter.fill(pixels, mask))
    wanted = pixels[..., 0] if channels == 1 else pixels
    assert filled.shape == wanted.shape
    assert filled.dtype == dtype
    np.testing.assert_array_equal(filled[~mask], wanted[~mask])
    if channels in (2, 4):
        np.testing.assert_array_equal(filled[..., -1], pixels[..., -1])
    assert not np.array_equal(filled, wanted)


def test_bad_input(inpainter: Inpainter, photo: Pixels) -> None:
    mask = hole(photo)
    with pytest.raises(InputError, match=r"bool \(149, 203\), got bool \(149, 202\)"):
        next(inpainter.fill(photo, mask[:, :-1]))
    with pytest.raises(InputError, match="got uint8"):
        next(inpainter.fill(photo, mask.astype(np.uint8)))
    for share, all_of_it in ((0, False), (100, True)):
        with pytest.raises(InputError, match=f"hides {share}% of the signal"):
            next(inpainter.fill(photo, np.full_like(mask, all_of_it)))
    with pytest.raises(InputError, match="3 variants need a seed"):
        next(inpainter.fill(photo, mask, count=3))


def test_a_mask_is_what_is_lighter_than_grey() -> None:
    colours = np.zeros((1, 3, 4), np.uint8)
    colours[0, 1] = 0, 200, 0, 0
    colours[0, 2, 3] = 255
    assert as_mask(colours, axes=2).tolist() == [[False, True, False]]
    deep = np.array([[32767, 32768]], np.uint16)
    assert as_mask(deep[..., None], axes=2).tolist() == [[False, True]]
