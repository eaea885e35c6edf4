"""Training and export of the networks of bench/networks.py, by equal processor seconds."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from vqcodec.files import write_whole
from vqcodec.media.crops import split_files
from vqcodec.media.picture.crops import PictureCrops, find_pictures, read_rgb
from vqcodec.media.picture.recipes import RECIPES
from vqcodec.media.registry import find_workshop
from vqcodec.model.config import ModelConfig
from vqcodec.model.network import VQVAE
from vqcodec.training.export import export_model
from vqcodec.training.progress import Budget
from vqcodec.training.state import TrainingState
from vqcodec.training.trainer import Trainer

# The recipe's 500 would be half of so short a run, and more of it the slower a network is.
WARMUP = 100
# Weights are averaged from where codes are no longer moved to other places.
AVERAGED_FROM = 0.7
PRIOR_PICTURES = 48


class ProcessorBudget(Budget):
    """So many minutes of processor time, in which a state's seconds are counted, too."""

    def __init__(self, *, minutes: float, spent: float) -> None:
        super().__init__(minutes=minutes)
        # A budget is frozen; this one starts when it is made.
        vars(self)["zero"] = time.process_time() - spent

    def share(self, state: TrainingState) -> float:
        state.seconds = time.process_time() - vars(self)["zero"]
        return super().share(state)


class Mean:
    """The mean of a model's tensors over a part of a run, kept in a file beside its state."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tensors: dict[str, Tensor] = {}
        self.count, self.steps = 0, 0
        if path.is_file():
            self.tensors = load_file(path)
            self.count, self.steps = self.tensors.pop("counted").tolist()

    def add(self, model: VQVAE, steps: int) -> None:
        """Count in the tensors that a run has after so many steps, each time once."""
        if steps <= self.steps:
            return
        self.count, self.steps = self.count + 1, steps
        for name, tensor in model.state_dict().items():
            mean = self.tensors.setdefault(name, torch.zeros(tensor.shape))
            mean.lerp_(tensor, 1 / self.count)
        counted = torch.tensor([self.count, self.steps])
        write_whole(self.path, save({**self.tensors, "counted": counted}))


class Runs:
    """Networks in training, on the same crops in the same order, from the same seed."""

    def __init__(self, folder: Path, work: Path, *, minutes: float) -> None:
        self.work, self.minutes = work, minutes
        self.paths, self.held_out = split_files(find_pictures(folder), held_out=32)

    def train(self, name: str, model: ModelConfig) -> TrainingState:
        """Train a network to the end of its budget, from where an earlier call was stopped."""
        path, mean = self._state(name), Mean(self._mean(name))
        torch.manual_seed(0)
        recipe = dataclasses.replace(RECIPES["photo-psnr"], model=model, warmup=WARMUP)
        crops = PictureCrops(self.paths, side=recipe.crop[0], seed=0)
        distortion = find_workshop("picture").distortion(recipe)
        trainer = Trainer(recipe, crops, distortion, device=torch.device("cpu"))
        if path.is_file():
            trainer.resume(path)
        budget = ProcessorBudget(minutes=self.minutes, spent=trainer.state.seconds)
        for progress in trainer.fit(budget, path):
            print(
                f"  {name}: step {progress.steps}, {progress.seconds:.0f} s, "
                f"{progress.decibels:.2f} dB, {progress.restarts} codes moved",
                flush=True,
            )
            if progress.share >= AVERAGED_FROM:
                mean.add(trainer.model, progress.steps)
        return trainer.state

    def export(self, name: str, model: ModelConfig, *, averaged: bool = False) -> Path:
        """Write what was trained, with costs and counters fitted and no network in its prior."""
        path = self.work / f"{name}{'-mean' if averaged else ''}.safetensors"
        if path.is_file():
            return path
        network = VQVAE(model)
        network.load_state_dict(self._mean_of(name) if averaged else self._last_of(name))
        chosen = np.linspace(0, len(self.paths) - 1, PRIOR_PICTURES).astype(int)
        signals = (
            torch.from_numpy(read_rgb(self.paths[i])).permute(2, 0, 1).float() / 255 for i in chosen
        )
        mu = RECIPES["photo-psnr"].mu
        export_model(
            network, path, name=path.stem, signals=signals, mu=mu, metadata={}, network_samples=0
        )
        return path

    def _mean_of(self, name: str) -> dict[str, Tensor]:
        return Mean(self._mean(name)).tensors

    def _last_of(self, name: str) -> dict[str, Tensor]:
        prefix = "model."
        tensors = load_file(self._state(name))
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    def _state(self, name: str) -> Path:
        return self.work / f"{name}.state.safetensors"

    def _mean(self, name: str) -> Path:
        return self.work / f"{name}.mean.safetensors"
