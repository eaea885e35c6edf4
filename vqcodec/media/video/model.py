"""A model of videos: codebooks of changes and what their coding starts from, on a picture model."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.device import find_device, own_modes
from vqcodec.errors import BadModelError, CorruptError, UnknownModelError
from vqcodec.grid import cover
from vqcodec.media.video.pictures import STRIDE, Pictures
from vqcodec.model.catalog import locate_model
from vqcodec.model.file import ModelCard, Tensors, read_model
from vqcodec.parts import shown
from vqcodec.transforms.config import BorrowedSynthesisConfig
from vqcodec_kernels.entropy.changes import ChangeEncoder, ChangeStart
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["HIGHEST_SCALE", "VideoModel", "load_video_model", "scale_index", "scale_of"]

# 2^(k / 8) as float32; scales are exact powers of two times one of them.
_EIGHTHS = (1.0, 1.0905077, 1.1892071, 1.2968396, 1.4142135, 1.5422108, 1.6817929, 1.8340081)
_MIDDLE = 128
HIGHEST_SCALE = 255


def scale_of(index: int) -> float:
    """What the vectors of changes are multiplied with: 2^((index - 128) / 8).

    >>> scale_of(128), scale_of(120), scale_of(140)
    (1.0, 0.5, 2.828427)
    """
    whole, part = divmod(index - _MIDDLE, 8)
    return math.ldexp(_EIGHTHS[part], whole)


def scale_index(price: float) -> int:
    """The index of the scale that a price asks for: its square root, 0 to 255.

    >>> scale_index(1.0), scale_index(0.25), scale_index(0)
    (128, 120, 0)
    """
    if price <= 0:
        return 0
    return min(max(round(4 * math.log2(price)) + _MIDDLE, 0), HIGHEST_SCALE)


class VideoModel:
    """All that coding a video depends on.

    Attributes:
        card: what the model says about itself.
        pictures: the model of pictures that key frames are coded with.
        books: float32 (S, K, D), vectors of changes at a price of 1; those of code 0 are 0.
        share: float32 (S, K), how often each code of a position that says anything was chosen.
        start: what coding changes starts from.

    Raises:
        BadModelError: tensors that contradict the configuration or each other.
    """

    def __init__(self, card: ModelCard, tensors: Tensors, pictures: Pictures) -> None:
        self.card, self.pictures = card, pictures
        quantizer = card.config.quantizer
        wanted = (quantizer.stages, quantizer.codebook_size, pictures.dim)
        books = _found(tensors, "codebooks", wanted, card.path)
        if books[:, 0].any():
            raise BadModelError(f"{card.path}: code 0 must mean that nothing changes")
        self.share = _found(tensors, "search.share", wanted[:2], card.path)
        with own_modes(pictures.device):
            self.books = torch.from_numpy(books).to(pictures.device)
        names = ("counters", "weights", "uses")
        try:
            self.start: ChangeStart = {name: tensors[f"prior.changes.{name}"] for name in names}
            ChangeEncoder(1, 1, stages=wanted[0], codebook_size=wanted[1], start=self.start)
        except (KeyError, InvalidInputError) as error:
            raise BadModelError(f"{card.path}: its start of changes: {error}") from error

    @property
    def stages(self) -> int:
        """Codebooks of changes."""
        return int(self.books.shape[0])

    @property
    def codebook_size(self) -> int:
        """Codes of each."""
        return int(self.books.shape[1])

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of positions of a frame."""
        rows, columns = cover((height, width), (STRIDE, STRIDE))
        return rows, columns

    def regions(self, height: int, width: int) -> int:
        """In how many parts a key frame is coded."""
        return self.pictures.count_regions(self.grid(height, width))

    def check(self, fingerprint: str, stages: int) -> None:
        """Raise UnknownModelError, or CorruptError, unless a stream can be of this model."""
        if fingerprint != self.card.fingerprint:
            raise UnknownModelError(
                f"needs the model {fingerprint}, this one is {self.card.label} "
                f"({self.card.fingerprint})"
            )
        if stages != self.stages:
            raise CorruptError(f"the stream has {stages} stages of codes, its model {self.stages}")

    def scaled(self, index: int) -> Tensor:
        """The codebooks at a scale, each vector rounded to float32 once."""
        with own_modes(self.pictures.device):
            return self.books * scale_of(index)


def load_video_model(
    name_or_path: str | Path = "video",
    *,
    device: str | torch.device = "auto",
    exact: bool = False,
) -> VideoModel:
    """Load a model of videos, and that of pictures which it names.

    Args:
        exact: networks in float32 where half precision would be faster.

    Raises:
        UnknownModelError: one of both is not here. BadModelError: it is no model of videos.
    """
    card, tensors = read_model(locate_model(name_or_path))
    synthesis = card.config.synthesis
    if card.config.medium.kind != "video" or not isinstance(synthesis, BorrowedSynthesisConfig):
        raise BadModelError(f"{card.path}: {card.label} is no model of videos")
    borrowed = read_model(locate_model(synthesis.fingerprint))
    return VideoModel(card, tensors, Pictures(*borrowed, find_device(device), exact=exact))


def _found(tensors: Tensors, name: str, shape: tuple[int, ...], path: Path) -> NDArray[np.float32]:
    if name not in tensors or tensors[name].shape != shape:
        found = tensors[name].shape if name in tensors else "missing"
        raise BadModelError(f"{path}: {name} must be {shape}, is {shown(found)}")
    return tensors[name].astype(np.float32)
