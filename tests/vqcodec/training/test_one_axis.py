"""Training of signals that nothing here was written for: two channels on one axis, made up."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import tiny_config
from torch import Tensor

from vqcodec.codec import load
from vqcodec.media.registry import MEDIA
from vqcodec.media.workshop import Batches, Distortion, Recipe, Skipped
from vqcodec.model.config import ModelConfig
from vqcodec.training import train
from vqcodec.training.progress import Budget
from vqcodec.training.trainer import Trainer


class Waves:
    """Batches of sums of two sines, each with a pitch and a phase of its own."""

    def __init__(self, seed: int = 0) -> None:
        self.random = torch.Generator().manual_seed(seed)

    def batch(self, size: int, length: int = 96) -> Tensor:
        """Draw float32 (size, 2, length) in [0, 1]."""
        pitch, phase = (torch.rand(2, size, 2, 1, generator=self.random) for _ in range(2))
        angle = torch.arange(length) * (0.05 + 0.2 * pitch) + 2 * math.pi * phase
        return 0.5 + 0.2 * angle.sin().sum(0)

    def go_on(self, steps: int) -> None:
        self.random.manual_seed(steps)


def squared_error(decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
    return error


MODEL = tiny_config(
    medium="wave", channels=2, stride=(8,), latent_dim=6, stages=3, codebook_size=16, region=20
)
RECIPE = Recipe(model=MODEL, crop=(96,), batch=8, warmup=5, unquantized=0.05, mu=0.5)


def error_of(trainer: Trainer, samples: Tensor) -> float:
    with torch.no_grad():
        return float((trainer.model.eval()(samples).samples - samples).square().mean())


@pytest.mark.parametrize("muon", [False, True])
def test_it_learns(tmp_path: Path, muon: bool) -> None:
    """Better than principal components and k-means; rates count the samples of the axis."""
    recipe = Recipe(model=MODEL, crop=(96,), batch=8, warmup=5, unquantized=0.05, muon=muon)
    torch.manual_seed(0)
    trainer, fresh = (
        Trainer(recipe, Waves(), squared_error, device=torch.device("cpu")) for _ in range(2)
    )
    reports = list(trainer.fit(Budget(steps=160), tmp_path / "state"))
    fresh.model.start(fresh._samples(64))
    fresh.model.quantizer.start(fresh.model.transform.analyse(fresh._samples(64)).detach())
    samples = Waves(seed=1).batch(64)
    assert error_of(trainer, samples) < 0.9 * error_of(fresh, samples)
    # Three stages of at most four bits for every eight samples.
    assert 0.5 < reports[-1].bits_per_sample < 3 * 4 / 8


class WaveMedium:
    """What a codec asks before there is a signal: any model will do."""

    span = None

    def check_model(self, model: ModelConfig) -> None:
        """Take every model."""


class WaveWorkshop:
    """Data from nowhere, and logs without a picture."""

    recipes = {"waves": RECIPE}  # noqa: RUF012

    def suited(self, recipe: Recipe, place: Path) -> Recipe:
        return recipe

    def open_data(
        self, place: Path, recipe: Recipe, seed: int, *, skipped: Skipped | None = None
    ) -> tuple[Batches, Iterator[Tensor]]:
        signals = (Waves(seed=9).batch(1, length)[0] for length in (331, 97, 8, 5) * 4)
        return Waves(seed), signals

    def distortion(self, recipe: Recipe) -> Distortion:
        return squared_error

    def preview(self, original: Tensor, decoded: Tensor) -> NDArray[np.uint8] | None:
        return None


def test_a_medium_of_its_own_in_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEDIA, "wave", "wave")
    monkeypatch.setitem(sys.modules, "wave.medium", SimpleNamespace(MEDIUM=WaveMedium()))
    workshop = SimpleNamespace(WORKSHOP=WaveWorkshop())
    monkeypatch.setitem(sys.modules, "wave.workshop", workshop)
    output = tmp_path / "tone.safetensors"
    card = train(tmp_path, output, medium="wave", steps=60, device="cpu")
    assert card is not None
    assert (card.label, card.metadata["recipe"], card.config) == ("tone-1", "waves", MODEL)
    codec = load(output, device="cpu")
    samples = Waves(seed=7).batch(2, 331)
    codes = codec.quantize(samples)
    assert codes.shape == (2, 3, 42)
    decoded = codec.reconstruct(codes, extent=(331,))
    assert float((decoded - samples).square().mean()) < 0.2 * float(samples.var())
    grid = codes[1].numpy()
    for mode, prior in codec._priors.items():
        assert np.array_equal(prior.decode(prior.encode(grid), grid.shape), grid), mode
