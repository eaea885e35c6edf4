"""What the tests of the codec share: photographs, and a small model fitted to them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import start_model, tiny_config, write_tiny

from vqcodec.codec import Codec, load
from vqcodec.model.config import ModelConfig
from vqcodec.model.network import VQVAE

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="session")
def photos() -> list[Pixels]:
    """Two photographs that scikit-learn ships, uint8 (427, 640, 3)."""
    from sklearn.datasets import load_sample_image

    return [load_sample_image(name).copy() for name in ("china.jpg", "flower.jpg")]


@pytest.fixture(scope="session")
def photo(photos: list[Pixels]) -> Pixels:
    """A part of one of them with sky, roof and trees, of odd sizes: uint8 (149, 203, 3)."""
    return np.ascontiguousarray(photos[0][120:269, 250:453])


@pytest.fixture(scope="session")
def small_config() -> ModelConfig:
    """A model small enough to be fitted in a second."""
    return tiny_config()


@pytest.fixture(scope="session")
def tiny_path(
    small_config: ModelConfig, photos: list[Pixels], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A file of weights: principal components, k-means codebooks, fitted priors."""
    pictures = [torch.from_numpy(pixels).permute(2, 0, 1).float() / 255 for pixels in photos]
    batch = torch.stack([picture[:, :424] for picture in pictures])
    parts = [picture[:, 100:228, 200:328] for picture in pictures]
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    return write_tiny(path, small_config, batch, parts, name="tiny")


@pytest.fixture(scope="session")
def codec(tiny_path: Path) -> Codec:
    """That model, ready; tests must leave it as it is."""
    return load(tiny_path, device="cpu")


@pytest.fixture(scope="session")
def regions_codec(photos: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """A model whose regions are 13 x 13 positions of 8 x 8 pixels; tests must leave it as it is."""
    batch = torch.stack([torch.from_numpy(pixels[:424]) for pixels in photos])
    samples = batch.permute(0, 3, 1, 2).float() / 255
    path = tmp_path_factory.mktemp("weights") / "small-regions.safetensors"
    write_tiny(path, tiny_config(region=13), samples, list(samples), name="small-regions")
    return load(path, device="cpu")


@pytest.fixture
def tiny_model(
    tiny_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Install that model for one test, and hide the user's own; gives the folder."""
    folder = tmp_path_factory.mktemp("models")
    (folder / tiny_path.name).write_bytes(tiny_path.read_bytes())
    monkeypatch.setenv("VQCODEC_MODELS", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    return folder


@pytest.fixture
def started_model(small_config: ModelConfig) -> VQVAE:
    """A model with its linear path and codebooks, and networks that have not learned yet."""
    torch.manual_seed(0)
    return start_model(small_config, torch.rand(2, 3, 40, 56))
