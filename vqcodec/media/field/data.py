"""Training data: crops of a folder of arrays that are alike."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.errors import InputError, VqcodecError
from vqcodec.grid import whole
from vqcodec.media.crops import Crops, SignalReader, find_files, split_files, spread_files
from vqcodec.media.field.chunks import MAX_CHANNELS
from vqcodec.media.field.medium import MEDIUM
from vqcodec.media.field.recipes import field_model
from vqcodec.media.npy import map_npy
from vqcodec.media.workshop import Batches, Recipe, Skipped

__all__ = ["FieldCrops", "open_data", "suited"]

# Fields that the priors and costs are fitted on.
_PRIOR_FIELDS = 480
_HELD_OUT = 32


class FieldCrops(Crops):
    """Crops of fields held as float32 (H, W, C); a field that is turned would be another one."""

    def turn(self, crop: NDArray[np.float32], random: Generator) -> NDArray[np.float32]:
        """As it is."""
        return crop

    def to_batch(self, crops: list[NDArray[np.float32]]) -> Tensor:
        """Float32 (B, C, H, W)."""
        return torch.from_numpy(np.stack(crops)).movedim(-1, 1).contiguous()


def suited(recipe: Recipe, place: Path) -> Recipe:
    """A recipe for the channels that most files of a folder have, and crops that half of them hold.

    Raises:
        InputError: no folder, or no field in it.
    """
    shapes = _shapes(place)
    channels, _ = Counter(shape[0] for shape in shapes).most_common(1)[0]
    alike = [shape[1:] for shape in shapes if shape[0] == channels]
    crop, side = [], recipe.model.synthesis.stride[0]
    for usual, lengths in zip(recipe.crop, zip(*alike, strict=True), strict=True):
        middle = sorted(lengths)[len(lengths) // 2]
        if middle < side:
            raise InputError(
                f"{place}: most of its fields have fewer than {side} rows or columns; channels "
                "come first, (C, H, W)"
            )
        crop.append(min(usual, middle // side * side))
    return dataclasses.replace(recipe, model=field_model(channels), crop=tuple(crop))


def _shapes(place: Path) -> list[tuple[int, int, int]]:
    """(C, H, W) of each field of a folder, read of the heads of its files."""
    found = []
    for path in _find_arrays(place):
        try:
            values = map_npy(str(path), DEFAULT_LIMITS)
        except (VqcodecError, OSError):
            continue
        if values is not None and values.ndim in (2, 3):
            found.append((1, *values.shape) if values.ndim == 2 else values.shape)
    fields = [(c, h, w) for c, h, w in found if c <= MAX_CHANNELS]
    if not fields:
        raise InputError(f"{place}: no arrays (H, W) or (C, H, W) of numbers found")
    return fields


def _find_arrays(place: Path) -> list[Path]:
    if not place.is_dir():
        raise InputError(f"{place}: a model of arrays is trained on a folder of .npy files")
    return find_files(place, MEDIUM.formats, of="arrays")


def open_data(
    place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
) -> tuple[Batches, Iterator[Tensor]]:
    """Open a folder of arrays; see `Workshop.open_data`."""
    reader = SignalReader(lambda path: _read(path, recipe), skipped)
    paths, _ = split_files(_find_arrays(place), held_out=_HELD_OUT)
    crops = FieldCrops(paths, crop=recipe.crop, seed=seed, reader=reader)
    return crops, _whole(spread_files(paths, _PRIOR_FIELDS), reader)


def _read(path: Path, recipe: Recipe) -> NDArray[np.float32]:
    """A field as the model takes it, float32 (H, W, C)."""
    try:
        field = MEDIUM.read(path.read_bytes(), DEFAULT_LIMITS)
        MEDIUM.prepare(field, recipe.model)
    except VqcodecError as error:
        raise InputError(f"{path}: {error}") from error
    return np.moveaxis(field.filled(whole(field.extent)), 0, -1)


def _whole(paths: list[Path], reader: SignalReader) -> Iterator[Tensor]:
    found = False
    for path in paths:
        values = reader.read(path)
        if values is not None:
            found = True
            yield torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, -1, 0)))
    if not found:
        raise InputError(f"none of {len(paths)} arrays can be read, {paths[0]} the first of them")
