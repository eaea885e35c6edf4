"""Pictures of one size with their classes: what a learned prior is trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.media.picture.channels import to_channels
from vqcodec.media.picture.crops import find_pictures, read_rgb
from vqcodec.media.picture.idx import read_idx, read_labels
from vqcodec.model.config import ModelConfig

__all__ = ["read_labelled"]

# Parts that are taken of a folder's pictures, all together at most.
_MOST_PARTS = 20_000


def read_labelled(
    place: Path, labels: Path | None, extent: tuple[int, ...] | None, model: ModelConfig
) -> tuple[Tensor, Tensor | None]:
    """Pictures, float32 (N, C, H, W) in [0, 1], and their classes; see `Workshop.labelled`."""
    if place.is_dir():
        if labels is not None:
            raise InputError(f"{labels}: the classes of a folder are its subfolders")
        pictures, classes = _parts(place, extent or model.synthesis.stride, model)
    else:
        pictures = read_idx(place)
        classes = None if labels is None else read_labels(labels).astype(np.int64)
        if classes is not None and len(classes) != len(pictures):
            raise InputError(f"{labels}: has {len(classes)} labels for {len(pictures)} pictures")
    samples = torch.from_numpy(pictures).float() / 255
    return samples, None if classes is None else torch.from_numpy(classes)


def _parts(
    folder: Path, extent: tuple[int, ...], model: ModelConfig
) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    """Parts of the pictures of a folder that lie side by side, uint8 (N, C, H, W)."""
    height, width = extent
    paths = find_pictures(folder)
    names = sorted({_class_of(path, folder) for path in paths})
    found, classes = [], []
    each = max(1, _MOST_PARTS // len(paths))
    for path in paths:
        pixels = to_channels(read_rgb(path), model.medium.channels)
        places = [
            (top, left)
            for top in range(0, len(pixels) - height + 1, height)
            for left in range(0, pixels.shape[1] - width + 1, width)
        ]
        for top, left in places[:: -(-len(places) // each) or 1]:
            found.append(pixels[top : top + height, left : left + width].transpose(2, 0, 1))
            classes.append(names.index(_class_of(path, folder)))
    if not found:
        raise InputError(f"{folder}: none of its pictures has {width} x {height} pixels")
    return np.stack(found), np.array(classes) if len(names) > 1 else None


def _class_of(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder).parent)
