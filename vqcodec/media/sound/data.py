"""Training data: crops of a folder of sounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.bitstream.limits import DEFAULT_LIMITS
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.crops import SignalReader, find_files, split_files, spread_files
from vqcodec.media.sound.crops import SoundCrops
from vqcodec.media.sound.medium import MEDIUM
from vqcodec.media.workshop import Batches, Recipe, Skipped
from vqcodec.model.config import ModelConfig

__all__ = ["open_data"]

# Sounds that the priors and costs are fitted on, of those that are trained on, and how many seconds
# of each; and held-out sounds that are for neither.
_PRIOR_SOUNDS, _PRIOR_SECONDS = 480, 10
_HELD_OUT = 60
_FULL_SCALE = 32768.0


def open_data(
    place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
) -> tuple[Batches, Iterator[Tensor]]:
    """Open a folder of sounds; see `Workshop.open_data`."""
    if not place.is_dir():
        raise InputError(f"{place}: a model of sound is trained on a folder of sounds")
    reader = SignalReader(lambda path: _read(path, recipe.model), skipped)
    paths, _ = split_files(find_files(place, MEDIUM.suffixes, of="sounds"), held_out=_HELD_OUT)
    crops = SoundCrops(paths, crop=recipe.crop, seed=seed, reader=reader)
    most = _PRIOR_SECONDS * recipe.model.medium.numbers["rate"]
    return crops, _beginnings(spread_files(paths, _PRIOR_SOUNDS), reader, most)


def _read(path: Path, model: ModelConfig) -> NDArray[np.int16]:
    """A sound as the model takes it, int16 (T, C)."""
    try:
        sound = MEDIUM.prepare(MEDIUM.read(path.read_bytes(), DEFAULT_LIMITS), model)
        samples = MEDIUM.to_samples(sound, model.medium, (slice(0, sound.extent[0]),))
    except VqcodecError as error:
        raise InputError(f"{path}: {error}") from error
    return np.rint(samples.T.clip(-1, 1) * (_FULL_SCALE - 1)).astype(np.int16)


def _beginnings(paths: list[Path], reader: SignalReader, most: int) -> Iterator[Tensor]:
    for path in paths:
        samples = reader.read(path)
        if samples is not None:
            yield torch.from_numpy((samples[:most].T / _FULL_SCALE).astype(np.float32))
