"""Training data: crops of a folder of arrays that are alike."""

from __future__ import annotations

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
from vqcodec.media.crops import Crops, SignalReader, find_files, split_files
from vqcodec.media.field.medium import MEDIUM
from vqcodec.media.field.recipes import SUFFIXES
from vqcodec.media.workshop import Batches, Recipe, Skipped

__all__ = ["FieldCrops", "open_data"]

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


def open_data(
    place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
) -> tuple[Batches, Iterator[Tensor]]:
    """Open a folder of arrays; see `Workshop.open_data`."""
    if not place.is_dir():
        raise InputError(f"{place}: a model of arrays is trained on a folder of .npy files")
    reader = SignalReader(lambda path: _read(path, recipe), skipped)
    paths, _ = split_files(find_files(place, SUFFIXES, of="arrays"), held_out=_HELD_OUT)
    spread = np.unique(np.linspace(0, len(paths) - 1, _PRIOR_FIELDS).astype(int))
    crops = FieldCrops(paths, crop=recipe.crop, seed=seed, reader=reader)
    return crops, _whole([paths[i] for i in spread], reader)


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
