"""Named sets of training choices for fields; `docs/arrays.md` says what they give."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.field.chunks import MAX_CHANNELS
from vqcodec.media.workshop import Recipe
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.transforms.config import StandardizedAnalysisConfig, StandardizedSynthesisConfig

__all__ = ["RECIPES", "SUFFIXES", "suited"]

SUFFIXES = (".npy",)

_SIDE = 16
_LATENT_OF_A_CHANNEL, _LARGEST_LATENT = 64, 192


def _model(channels: int) -> ModelConfig:
    latent_dim = min(channels * _LATENT_OF_A_CHANNEL, _LARGEST_LATENT)
    return ModelConfig(
        medium=MediumConfig(kind="field", channels=channels),
        analysis=StandardizedAnalysisConfig(width=64, depth=1),
        synthesis=StandardizedSynthesisConfig(
            stride=(_SIDE, _SIDE), latent_dim=latent_dim, width=64, depth=3
        ),
        quantizer=QuantizerConfig(stages=8, codebook_size=256),
        region=(128, 128),
    )


RECIPES = {
    "array": Recipe(
        model=_model(1),
        crop=(192, 192),
        batch=8,
        learning_rate=1e-3,
        warmup=50,
        mu=6.0,
        truncated=0.6,
        beams=2,
        minutes=15.0,
    ),
}


def suited(recipe: Recipe, place: Path) -> Recipe:
    """A recipe for the channels that most files of a folder have, and crops that half of them hold.

    Raises:
        InputError: no folder, or no field in it.
    """
    shapes = _shapes(place)
    channels, _ = Counter(shape[0] for shape in shapes).most_common(1)[0]
    alike = [shape[1:] for shape in shapes if shape[0] == channels]
    crop = []
    for usual, lengths in zip(recipe.crop, zip(*alike, strict=True), strict=True):
        middle = sorted(lengths)[len(lengths) // 2]
        if middle < _SIDE:
            raise InputError(
                f"{place}: most of its fields have fewer than {_SIDE} rows or columns; channels "
                "come first, (C, H, W)"
            )
        crop.append(min(usual, middle // _SIDE * _SIDE))
    return dataclasses.replace(recipe, model=_model(channels), crop=tuple(crop))


def _shapes(place: Path) -> list[tuple[int, int, int]]:
    """(C, H, W) of each field of a folder, read of the heads of its files."""
    from vqcodec.media.crops import find_files  # loads torch
    from vqcodec.media.npy import map_npy

    if not place.is_dir():
        raise InputError(f"{place}: a model of arrays is trained on a folder of .npy files")
    found = []
    for path in find_files(place, SUFFIXES, of="arrays"):
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
