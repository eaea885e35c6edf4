"""One call from a place with training data to a file of weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vqcodec.device import find_device
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.media.registry import MEDIA, find_workshop
from vqcodec.media.workshop import Recipe, Skipped
from vqcodec.model.catalog import check_name, locate_model, next_generation
from vqcodec.model.file import ModelCard, read_model
from vqcodec.model.tensors import network_from_tensors
from vqcodec.processes import join_processes
from vqcodec.training.allocator import keep_freed_memory
from vqcodec.training.export import NETWORK_SAMPLES, export_model
from vqcodec.training.logs import LogWriter, Preview
from vqcodec.training.progress import Budget, Progress
from vqcodec.training.trainer import Trainer

__all__ = ["fit_with_logs", "resume_run", "run_facts", "state_path", "train"]

# Positions that the network of the prior looks at for each step of training: a short run is not to
# be followed by a long wait.
_SAMPLES_PER_STEP = 1000


def state_path(output: Path) -> Path:
    """Where a run keeps its resumable state: beside the weights that it will write.

    >>> state_path(Path("xray.safetensors")).name
    'xray.state.safetensors'
    """
    return output.with_suffix(".state.safetensors")


@kernels_refuse()
def train(
    place: str | Path,
    output: str | Path,
    *,
    medium: str = next(iter(MEDIA)),
    recipe: str | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    resume: bool = False,
    start_from: str | Path | None = None,
    keep_codebooks: bool = False,
    device: str = "auto",
    seed: int = 0,
    skipped: Skipped | None = None,
    report: Callable[[Progress], None] | None = None,
    finishing: Callable[[str, float], None] = lambda what, share: None,
) -> ModelCard | None:
    """Train a model on the signals of one medium and write it.

    Under `torchrun` all processes train one model, each on batches of its own; the first writes it
    and returns its card, the others return None.

    The file's stem becomes the model's name; its generation is the next one of this name after all
    that are installed or were started from. While training, the state lies beside the file in
    `NAME.state.safetensors`, renewed every minute and on interruption.

    Args:
        place: a folder, or what else the medium's recipe trains on.
        medium: name of the medium, see `find_medium`; the first one if none is named.
        recipe: name of one of the medium's recipes; without it the first one.
        minutes, steps: length of the run; without either, what the recipe says.
        resume: go on with the run whose state lies beside `output`.
        start_from: model to start from instead of untrained networks, by name, fingerprint or file.
        keep_codebooks: leave the codebooks of `start_from` as they are, so that codes keep their
            meaning while the networks learn. A run that is resumed goes on as it began.
        device: "auto", "cpu" or "cuda".
        skipped: told of each file that cannot be read, with the reason; it is left out. Without
            it such a file stops the run.
        report: called every few steps.
        finishing: called now and then once training is over, while costs and priors are fitted,
            with what is being done, in words, and the share of it done.

    Raises:
        InputError: the file's stem cannot be a model's name, no recipe of that name, nothing to
            train on, a signal that cannot be read, no state to resume from, one that has more
            steps behind it than are asked for, or no codebooks that could be kept.
        UnknownModelError: there is no model to start from of that name.
        BadModelError: no such medium; or the state or the weights to start from belong to another
            configuration.
        BackendError: a device or backend was asked for that is not here.
        MissingDependencyError: a package that the recipe or the logs need is not installed.
        FloatingPointError: training diverged.
    """
    keep_freed_memory()
    place, output = Path(place), Path(output)
    check_name(output.stem)
    if keep_codebooks and start_from is None and not resume:
        raise InputError("there are no codebooks to keep: say which weights to start from")
    workshop = find_workshop(medium)
    name = next(iter(workshop.recipes)) if recipe is None else recipe
    chosen = workshop.suited(_find_recipe(workshop.recipes, name), place)
    distortion = workshop.distortion(chosen)
    if minutes is None and steps is None:
        minutes = chosen.minutes
    budget = Budget(minutes=minutes, steps=steps)
    with join_processes(find_device(device)) as (processes, own_device):
        torch.manual_seed(seed)
        own_seed = seed * processes.count + processes.rank
        # Each process leaves files out, and the first one says so.
        told = skipped if skipped is None or processes.is_first else lambda path, why: None
        batches, signals = workshop.open_data(place, chosen, own_seed, skipped=told)
        trainer = Trainer(chosen, batches, distortion, device=own_device, processes=processes)
        origin = None
        if start_from is not None:
            origin = _start_from(trainer, locate_model(start_from), keep_codebooks)
        if resume:
            resume_run(trainer, state_path(output), steps, keep_codebooks)
        fit_with_logs(trainer, budget, output, workshop.preview, report)
        if not processes.is_first:
            return None
        generation = _generation(output.stem, origin)
        facts = {"recipe": name, **run_facts(trainer, seed), "generation": generation}
        return _export(trainer, output, signals, facts, finishing)


def _find_recipe(recipes: Mapping[str, Recipe], name: str) -> Recipe:
    if name not in recipes:
        raise InputError(f"no recipe {name!r}; there are {', '.join(recipes)}")
    return recipes[name]


def _export(
    trainer: Trainer,
    output: Path,
    signals: Iterator[Tensor],
    facts: dict[str, Any],
    finishing: Callable[[str, float], None],
) -> ModelCard:
    return export_model(
        trainer.model.cpu(),
        output,
        name=output.stem,
        signals=signals,
        mu=trainer.recipe.mu,
        masking=trainer.recipe.masking,
        metadata=facts,
        network_samples=min(NETWORK_SAMPLES, _SAMPLES_PER_STEP * trainer.state.steps),
        report=finishing,
    )


def resume_run(
    trainer: Trainer, path: Path, steps: int | None, keep_codebooks: bool = False
) -> None:
    """Take up the run whose state is in `path`.

    Raises:
        InputError: there is none, it has more steps behind it than are asked for, or has moved
            the codebooks that are to be kept.
    """
    if not path.is_file():
        raise InputError(f"{path}: no state to resume from")
    trainer.resume(path)
    # As many as are asked for are no mistake: what is left of such a run is to write its weights.
    if steps is not None and trainer.state.steps > steps:
        raise InputError(
            f"{path}: {trainer.state.steps} steps are taken already, more than {steps}"
        )
    if keep_codebooks and not trainer.state.keep_codebooks:
        raise InputError(f"{path}: the run has moved its codebooks already")


def fit_with_logs(
    trainer: Trainer,
    budget: Budget,
    output: Path,
    preview: Preview,
    report: Callable[[Progress], None] | None,
) -> None:
    """Train until the budget is spent; the first process writes logs and reports."""
    if not trainer.processes.is_first:
        for _ in trainer.fit(budget, state_path(output)):
            pass
        return
    with LogWriter(output.with_suffix(".logs"), preview) as log:
        for progress in trainer.fit(budget, state_path(output)):
            log.write(progress)
            if report is not None:
                report(progress)


def _start_from(trainer: Trainer, path: Path, keep_codebooks: bool) -> ModelCard:
    card, tensors = read_model(path)
    model = network_from_tensors(card.config, tensors, path)
    trainer.start_from(model, keep_codebooks=keep_codebooks)
    return card


def _generation(name: str, origin: ModelCard | None) -> int:
    """One more than that of every model of this name that is known here."""
    started_from = origin.generation if origin is not None and origin.name == name else 0
    return max(next_generation(name), started_from + 1)


def run_facts(trainer: Trainer, seed: int) -> dict[str, Any]:
    """What a run notes about itself for people."""
    return {
        "processes": trainer.processes.count,
        "steps": trainer.state.steps,
        "training_minutes": round(trainer.state.seconds / 60, 1),
        "seed": seed,
        "device": str(trainer.device),
        "torch": torch.__version__,
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
    }
