"""Training of an analysis alone: from a damaged signal to the latent that the clean one has."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vqcodec.device import find_device
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.media.damage import Damage
from vqcodec.media.registry import find_workshop
from vqcodec.media.workshop import Batches, Distortion, Recipe, Skipped, Workshop
from vqcodec.model.catalog import check_name, locate_model
from vqcodec.model.companion import CompanionCard
from vqcodec.model.file import ModelCard, read_model
from vqcodec.model.network import VQVAE
from vqcodec.model.restorer import with_restorer, write_restorer
from vqcodec.model.tensors import network_from_tensors, network_tensors
from vqcodec.training.allocator import keep_freed_memory
from vqcodec.training.optimizer import Optimizer
from vqcodec.training.progress import Budget, Progress
from vqcodec.training.run import fit_with_logs, resume_run, run_facts, state_path
from vqcodec.training.trainer import Trainer
from vqcodec.transforms.layout import channels_last

__all__ = ["Damaging", "RestoringTrainer", "train_restorer"]

_MINUTES = 35.0
_LEARNING_RATE = 6e-4
_WARMUP = 50
# The share of the run from which on the loss looks at what is decoded.
_DECODED_FROM = 0.75


@dataclass(frozen=True)
class Damaging:
    """A damage at strengths drawn evenly, for each signal anew, from the number of the step.

    >>> from vqcodec.media.registry import MEDIA
    >>> damages = find_workshop(next(iter(MEDIA))).damages
    >>> damaging = Damaging.parse("noise=5-40", damages, seed=0)
    >>> damaging.low, damaging.high
    (5.0, 40.0)
    >>> damaging.apply(torch.zeros(2, 3, 16, 16), step=7).shape
    torch.Size([2, 3, 16, 16])
    """

    name: str
    damage: Damage
    low: float
    high: float
    seed: int

    @classmethod
    def parse(cls, text: str, damages: Mapping[str, Damage], *, seed: int) -> Damaging:
        """Read NAME, NAME=STRENGTH or NAME=LOW-HIGH.

        Raises:
            InputError: no such damage, or strengths that it cannot have.
        """
        name, _, strengths = text.partition("=")
        if name not in damages:
            raise InputError(f"no damage {name!r}; there are {', '.join(damages) or 'none'}")
        damage = damages[name]
        low, _, high = strengths.partition("-")
        try:
            found = (float(low), float(high or low)) if strengths else damage.default
        except ValueError:
            raise InputError(f"{text!r} is not {name}=LOW-HIGH") from None
        least, most = damage.bounds
        if not least <= found[0] <= found[1] <= most:
            raise InputError(
                f"{name} is of {least:g} to {most:g} ({damage.title}), got {strengths!r}"
            )
        return cls(name, damage, *found, seed)

    def apply(self, samples: Tensor, *, step: int) -> Tensor:
        """Damage each of a batch (B, C, *extent)."""
        random = np.random.default_rng([self.seed, step])
        strengths = random.uniform(self.low, self.high, len(samples))
        damaged = [
            self.damage.of(s, float(v), random) for s, v in zip(samples, strengths, strict=True)
        ]
        return torch.stack(damaged)


class RestoringTrainer(Trainer):
    """Trains the analysis of a model to see through a damage; all else of the model is frozen.

    The loss is the latent's distance to that of the clean signal, in the unit of the distortion;
    in the last part of the run, which is twice as slow, also the distortion of what it decodes to.

    like: the model. begun: the same with the analysis to start from.
    """

    def __init__(
        self,
        recipe: Recipe,
        batches: Batches,
        distortion: Distortion,
        *,
        like: VQVAE,
        begun: VQVAE,
        damaging: Damaging,
        device: torch.device,
    ) -> None:
        super().__init__(recipe, batches, distortion, device=device)
        self.model.load_state_dict(begun.state_dict())
        self.model.requires_grad_(False)
        transform = self.model.transform
        self._clean = copy.deepcopy(like.transform.analysis).to(device).requires_grad_(False)
        transform.analysis.requires_grad_(True)
        self.optimizer = Optimizer(transform.analysis, muon=recipe.muon)
        self._distortion, self._damaging = distortion, damaging
        self._transform_started = self._quantizer_started = True

    def _step(self, share: float) -> tuple[float, float, float, tuple[Tensor, Tensor]]:
        samples = self.batches.batch(self.recipe.batch)
        damaged = self._damaging.apply(samples, step=self.state.steps)
        samples, damaged = (channels_last(s.to(self.device)) for s in (samples, damaged))
        transform = self.model.transform
        decoded = None
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16):
            with torch.no_grad():
                wanted = self._clean(samples)
            latent = transform.analyse(damaged)
            if share >= _DECODED_FROM:
                decoded = transform.synthesise(latent)
        loss = error = transform.unit * (latent - wanted).square().mean()
        if decoded is not None:
            error = transform.error(decoded, samples)
            loss = loss + self._distortion(decoded, samples, error)
        error = error.detach()
        self._descend(loss, error, share)
        shown = samples if decoded is None else decoded.detach()
        return float(loss.detach()), float(error), 0.0, (damaged, shown)


@kernels_refuse()
def train_restorer(
    place: str | Path,
    output: str | Path,
    *,
    degrade: str,
    like: str | Path = "photo",
    start_from: str | Path | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    resume: bool = False,
    device: str = "auto",
    seed: int = 0,
    skipped: Skipped | None = None,
    report: Callable[[Progress], None] | None = None,
) -> CompanionCard:
    """Train a restoring encoder for a model on clean signals, and write it.

    The file's stem becomes its name. While training, the state lies beside it, as with `train`.

    Args:
        place: a folder of clean signals, or what else the model's recipe trains on.
        degrade: what happens to them: NAME, or NAME=LOW-HIGH, see `Damaging`.
        like: the model whose files it will write; its analysis is the start.
        start_from: a restoring encoder of that model, by name or file, to go on from instead.
        minutes, steps: length of the run; without either 35 minutes.
        resume, device, seed, skipped, report: as for `train`.

    Raises:
        InputError: the file's stem cannot be a name, no such damage or strength, or as `train`.
        ModelError: no such model or encoder, one for another model, or a state of another one.
        FloatingPointError: training diverged.
    """
    keep_freed_memory()
    place, output = Path(place), Path(output)
    check_name(output.stem)
    card, tensors = read_model(locate_model(like))
    model = network_from_tensors(card.config, tensors, card.path)
    if start_from is not None:
        card, tensors = with_restorer(card, tensors, start_from)
    workshop = find_workshop(card.config.medium.kind)
    damaging = Damaging.parse(degrade, workshop.damages, seed=seed)
    if minutes is None and steps is None:
        minutes = _MINUTES
    budget = Budget(minutes=minutes, steps=steps)
    recipe = _recipe(card, workshop)
    torch.manual_seed(seed)
    batches, _ = workshop.open_data(place, recipe, seed, skipped=skipped)
    trainer = RestoringTrainer(
        recipe,
        batches,
        workshop.distortion(recipe),
        like=model,
        begun=network_from_tensors(card.config, tensors, card.path),
        damaging=damaging,
        device=find_device(device),
    )
    if start_from is not None:
        # As for a model that is trained on: the full rate would first undo what it knows.
        trainer.state.rate_scale = 0.5
    if resume:
        resume_run(trainer, state_path(output), steps)
    fit_with_logs(trainer, budget, output, workshop.preview, report)
    facts = {
        "model": card.label,
        "damage": damaging.name,
        "strengths": [damaging.low, damaging.high],
        **run_facts(trainer, seed),
    }
    return write_restorer(output, card, network_tensors(trainer.model.cpu()), facts)


def _recipe(card: ModelCard, workshop: Workshop) -> Recipe:
    """How the model was trained, as far as that is of use here: on which crops."""
    of_model = workshop.recipes.get(str(card.metadata.get("recipe")))
    recipe = of_model or next(iter(workshop.recipes.values()))
    return dataclasses.replace(
        recipe,
        model=card.config,
        distortion={},
        learning_rate=_LEARNING_RATE,
        warmup=_WARMUP,
        # On processors without bfloat16 its matrices take longer than the networks.
        muon=False,
    )
