"""One call from a folder of pictures to a file of weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vqcodec.device import find_device
from vqcodec.errors import InputError
from vqcodec.media.picture.crops import (
    FixedPictures,
    PictureCrops,
    find_pictures,
    read_idx,
    read_rgb,
    split_pictures,
)
from vqcodec.model.catalog import next_generation
from vqcodec.model.file import ModelCard, read_model
from vqcodec.model.tensors import network_from_tensors
from vqcodec.processes import join_processes
from vqcodec.training.allocator import keep_freed_memory
from vqcodec.training.export import NETWORK_SAMPLES, export_model
from vqcodec.training.logs import LogWriter
from vqcodec.training.progress import Budget, Progress
from vqcodec.training.recipes import Recipe, find_recipe
from vqcodec.training.trainer import Trainer

__all__ = ["state_path", "train"]

# Pictures that the priors are fitted on, and held-out pictures that are never trained on.
_PRIOR_PICTURES = 480
_HELD_OUT = 32
# Positions that the network of the prior looks at for each step of training: a short run is not to
# be followed by a long wait.
_SAMPLES_PER_STEP = 1000


def state_path(output: Path) -> Path:
    """Where a run keeps its resumable state: beside the weights that it will write."""
    return output.with_suffix(".state.safetensors")


def train(
    folder: str | Path,
    output: str | Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    resume: bool = False,
    start_from: str | Path | None = None,
    device: str = "auto",
    recipe: str = "photo",
    seed: int = 0,
    report: Callable[[Progress], None] | None = None,
    finishing: Callable[[str, float], None] = lambda what, share: None,
) -> ModelCard | None:
    """Train a model on the pictures of a folder, or of an IDX file, and write it.

    Under `torchrun` all processes train one model, each on crops of its own; the first writes it
    and returns its card, the others return None.

    The file's stem becomes the model's name; its generation is the next one of this name after all
    that are installed, were ever built in, or were started from. While training, the state lies
    beside the file in `NAME.state.safetensors`, renewed every minute and on interruption.

    Args:
        minutes, steps: length of the run; without either, what the recipe says.
        resume: go on with the run whose state lies beside `output`.
        start_from: file of weights to start from instead of untrained networks.
        device: "auto", "cpu" or "cuda".
        report: called every few steps.
        finishing: called now and then once training is over, while costs and priors are fitted,
            with what is being done, in words, and the share of it done.

    Raises:
        InputError: no pictures, none large enough, a picture that cannot be read, or no state to
            resume from.
        BadModelError: the state or the weights to start from belong to another configuration.
        BackendError: a device was asked for that is not here.
        FloatingPointError: training diverged.
    """
    keep_freed_memory()
    folder, output = Path(folder), Path(output)
    chosen = find_recipe(recipe)
    if chosen.side == 0 and folder.is_dir():
        raise InputError(f"{folder}: recipe {recipe!r} trains on an IDX file, not on a folder")
    if minutes is None and steps is None:
        minutes = chosen.minutes
    budget = Budget(minutes=minutes, steps=steps)
    with join_processes(find_device(device)) as (processes, own_device):
        torch.manual_seed(seed)
        batches, sources = _open_data(folder, chosen, seed * processes.count + processes.rank)
        trainer = Trainer(chosen, batches, device=own_device, processes=processes)
        origin = None if start_from is None else _start_from(trainer, Path(start_from))
        if resume:
            _resume(trainer, batches, state_path(output))
        _fit(trainer, budget, output, report)
        if not processes.is_first:
            return None
        facts = _facts(recipe, trainer, seed) | {"generation": _generation(output.stem, origin)}
        return _export(trainer, output, sources, facts, finishing)


def _export(
    trainer: Trainer,
    output: Path,
    pictures: Iterator[Tensor],
    facts: dict[str, Any],
    finishing: Callable[[str, float], None],
) -> ModelCard:
    return export_model(
        trainer.model.cpu(),
        output,
        name=output.stem,
        pictures=pictures,
        mu=trainer.recipe.mu,
        metadata=facts,
        network_samples=min(NETWORK_SAMPLES, _SAMPLES_PER_STEP * trainer.state.steps),
        report=finishing,
    )


def _resume(trainer: Trainer, batches: FixedPictures | PictureCrops, path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path}: no state to resume from")
    trainer.resume(path)
    batches.go_on(trainer.state.steps)


def _fit(
    trainer: Trainer, budget: Budget, output: Path, report: Callable[[Progress], None] | None
) -> None:
    if not trainer.processes.is_first:
        for _ in trainer.fit(budget, state_path(output)):
            pass
        return
    with LogWriter(output.with_suffix(".logs")) as log:
        for progress in trainer.fit(budget, state_path(output)):
            log.write(progress)
            if report is not None:
                report(progress)


def _open_data(
    folder: Path, recipe: Recipe, seed: int
) -> tuple[FixedPictures | PictureCrops, Iterator[Tensor]]:
    """Open the training data: batches of crops, and whole pictures to fit the priors on."""
    if recipe.side == 0:
        digits = read_idx(folder)
        wanted = (recipe.model.transform.height, recipe.model.transform.width)
        if len(digits) == 0 or digits.shape[2:] != wanted:
            raise InputError(f"{folder}: pictures must be {wanted}, got {digits.shape}")
        sample = (torch.from_numpy(digit).float() / 255 for digit in digits[:2000])
        return FixedPictures(digits, seed=seed), sample
    paths, _ = split_pictures(find_pictures(folder), held_out=_HELD_OUT)
    crops = PictureCrops(paths, side=recipe.side, seed=seed)
    spread = np.unique(np.linspace(0, len(paths) - 1, _PRIOR_PICTURES).astype(int))
    whole = (torch.from_numpy(read_rgb(paths[i])).permute(2, 0, 1).float() / 255 for i in spread)
    return crops, whole


def _start_from(trainer: Trainer, path: Path) -> ModelCard:
    card, tensors = read_model(path)
    trainer.start_from(network_from_tensors(card.config, tensors, path))
    return card


def _generation(name: str, origin: ModelCard | None) -> int:
    """One more than that of every model of this name that is known here."""
    started_from = origin.generation if origin is not None and origin.name == name else 0
    return max(next_generation(name), started_from + 1)


def _facts(recipe: str, trainer: Trainer, seed: int) -> dict[str, Any]:
    return {
        "recipe": recipe,
        "processes": trainer.processes.count,
        "steps": trainer.state.steps,
        "training_minutes": round(trainer.state.seconds / 60, 1),
        "seed": seed,
        "device": str(trainer.device),
        "torch": torch.__version__,
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
    }
