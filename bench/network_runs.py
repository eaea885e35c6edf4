"""Training and export of the networks of bench/networks.py, by equal processor seconds.

What else a machine does makes a step slower. So the steps of all networks are timed in turn, a few
of each round by round, and each network gets as many as fit into the seconds.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Mapping
from itertools import pairwise
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
SIDE = RECIPES["photo-psnr"].crop[0]
# How steps are timed.
ROUNDS, STEPS_A_ROUND, TIMED_PICTURES = 3, 3, 32


class Steps(Budget):
    """So many steps, in a state that counts its seconds in processor time."""

    def __init__(self, *, steps: int, spent: float) -> None:
        super().__init__(steps=steps)
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

    def __init__(self, folder: Path, work: Path, *, seed: int = 0) -> None:
        self.work, self.seed = work, seed
        self.paths, self.held_out = split_files(find_pictures(folder), held_out=32)

    def step_seconds(self, models: Mapping[str, ModelConfig]) -> dict[str, float]:
        """Processor seconds of a step of every network, the median over rounds; timed once."""
        path, state = self.work / "step_seconds.json", self.work / "timed.state.safetensors"
        if not path.is_file():
            crops = {name: _Clock(self.paths[:TIMED_PICTURES]) for name in models}
            trainers = {name: _trainer(model, crops[name]) for name, model in models.items()}
            for round_ in range(1 + ROUNDS):
                for name, trainer in trainers.items():
                    # The first step of all starts the quantizer, and is not timed.
                    budget = Budget(steps=1 + round_ * STEPS_A_ROUND)
                    for _ in trainer.fit(budget, state):
                        pass
                    crops[name].lap()
            state.unlink()
            found = {name: statistics.median(clock.seconds) for name, clock in crops.items()}
            write_whole(path, json.dumps(found, indent=1).encode())
        seconds: dict[str, float] = json.loads(path.read_text())
        return seconds

    def train(self, name: str, model: ModelConfig, *, steps: int) -> TrainingState:
        """Train a network for so many steps, from where an earlier call was stopped."""
        path, mean = self._state(name), Mean(self._mean(name))
        trainer = _trainer(model, PictureCrops(self.paths, side=SIDE, seed=self.seed), self.seed)
        if path.is_file():
            trainer.resume(path)
        if trainer.state.steps >= steps:
            return trainer.state
        budget = Steps(steps=steps, spent=trainer.state.seconds)
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


class _Clock(PictureCrops):
    """Crops that note when each step begins."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(paths, side=SIDE, seed=0)
        self.seconds: list[float] = []
        self._began: list[float] = []

    def go_on(self, steps: int) -> None:
        super().go_on(steps)
        self._began.append(time.process_time())

    def lap(self) -> None:
        """Take the times between the beginnings so far; the last step has no end of its own."""
        self.seconds += [b - a for a, b in pairwise(self._began)]
        self._began.clear()


def _trainer(model: ModelConfig, crops: PictureCrops, seed: int = 0) -> Trainer:
    torch.manual_seed(seed)
    recipe = dataclasses.replace(RECIPES["photo-psnr"], model=model, warmup=WARMUP)
    distortion = find_workshop("picture").distortion(recipe)
    return Trainer(recipe, crops, distortion, device=torch.device("cpu"))
