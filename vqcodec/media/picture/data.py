"""Opening what a recipe trains on: a folder of pictures, or an IDX file of small ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.media.crops import SignalReader, split_files, spread_files
from vqcodec.media.picture.crops import PictureCrops, find_pictures, picture_reader
from vqcodec.media.picture.idx import FixedPictures, read_idx
from vqcodec.media.workshop import Batches, Recipe, Skipped

__all__ = ["open_data"]

# Pictures that the priors are fitted on, and held-out pictures that are never trained on.
_PRIOR_PICTURES = 480
_PRIOR_DIGITS = 2000
_HELD_OUT = 32


def open_data(
    place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
) -> tuple[Batches, Iterator[Tensor]]:
    """Open batches, and whole pictures, float32 (C, H, W) in [0, 1], for the priors.

    A recipe with crops takes them from the pictures of a folder, one without takes the pictures of
    an IDX file whole.

    skipped: see `Workshop.open_data`.

    Raises:
        InputError: no pictures, or none that the recipe can train on.
        InputError, OSError: a picture cannot be read, and there is no `skipped`.
    """
    if recipe.crop:
        return _open_folder(place, recipe, seed, picture_reader(skipped))
    return _open_idx(place, recipe, seed)


def _open_folder(
    place: Path, recipe: Recipe, seed: int, reader: SignalReader
) -> tuple[Batches, Iterator[Tensor]]:
    height, width = recipe.crop
    assert height == width, recipe.crop
    paths, _ = split_files(find_pictures(place), held_out=_HELD_OUT)
    crops = PictureCrops(paths, side=height, seed=seed, reader=reader)
    return crops, _read_whole(spread_files(paths, _PRIOR_PICTURES), reader)


def _read_whole(paths: list[Path], reader: SignalReader) -> Iterator[Tensor]:
    found = False
    for path in paths:
        pixels = reader.read(path)
        if pixels is not None:
            found = True
            yield torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    if not found:
        raise InputError(f"none of {len(paths)} pictures can be read, {paths[0]} the first of them")


def _open_idx(place: Path, recipe: Recipe, seed: int) -> tuple[Batches, Iterator[Tensor]]:
    if place.is_dir():
        raise InputError(f"{place}: the recipe trains on an IDX file, not on a folder")
    digits = read_idx(place)
    if len(digits) == 0:
        raise InputError(f"{place}: holds no pictures")
    try:
        recipe.model.positions(digits.shape[2:])
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
    whole = (torch.from_numpy(digit).float() / 255 for digit in digits[:_PRIOR_DIGITS])
    return FixedPictures(digits, seed=seed), whole
