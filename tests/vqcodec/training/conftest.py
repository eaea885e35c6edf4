"""What the tests of training share: batches of a photograph, and trainers of a small model."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.media.workshop import Recipe
from vqcodec.model.config import ModelConfig
from vqcodec.training.trainer import Trainer

Pixels = NDArray[np.uint8]


class Crops:
    """Crops of a photograph; the n-th batch is the same in every run."""

    def __init__(self, photo: Pixels, *, side: int, first: int = 0) -> None:
        self.photo, self.side, self.drawn = photo, side, first

    def batch(self, size: int) -> Tensor:
        random = np.random.default_rng(self.drawn)
        self.drawn += 1
        crops = []
        for _ in range(size):
            top = random.integers(self.photo.shape[0] - self.side)
            left = random.integers(self.photo.shape[1] - self.side)
            crops.append(self.photo[top : top + self.side, left : left + self.side])
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255

    def go_on(self, steps: int) -> None:
        self.drawn = steps


def squared_error(decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
    """The distortion that looks at nothing else."""
    return error


@pytest.fixture
def recipe(small_config: ModelConfig) -> Recipe:
    return Recipe(
        model=small_config, crop=(48, 48), warmup=5, unquantized=0.1, restart_every=5, mu=0.5
    )


@pytest.fixture
def new_trainer(recipe: Recipe, photos: list[Pixels]) -> Callable[..., Trainer]:
    def make(*, first: int = 0, recipe: Recipe = recipe) -> Trainer:
        torch.manual_seed(0)
        crops = Crops(photos[0], side=48, first=first)
        trainer = Trainer(recipe, crops, squared_error, device=torch.device("cpu"))
        # Half precision would make equal runs differ in their last bits.
        trainer._bf16 = False
        return trainer

    return make


@pytest.fixture(scope="session")
def digits() -> Pixels:
    """The digits of scikit-learn enlarged to 28 x 28, uint8 (1797, 28, 28)."""
    from sklearn.datasets import load_digits

    small = torch.from_numpy(load_digits().images.copy()).float()[:, None] / 16
    large = torch.nn.functional.interpolate(small, size=(28, 28), mode="bilinear")
    return (large[:, 0] * 255).round().to(torch.uint8).numpy()


@pytest.fixture
def save_digits(digits: Pixels, tmp_path: Path) -> Callable[[int], Path]:
    """Write the first so many digits as an IDX file."""

    def save(count: int) -> Path:
        path = tmp_path / "digits.idx"
        head = struct.pack(">IIII", 0x803, count, 28, 28)
        path.write_bytes(head + digits[:count].tobytes())
        return path

    return save
