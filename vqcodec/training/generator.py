"""Training of a learned prior: a network over the codes that a model has for signals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vqcodec.codec import Codec, load
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.generative.config import GeneratorConfig, RecurrentConfig, TransformerConfig
from vqcodec.generative.generator import to_row, write_generator
from vqcodec.media.registry import find_workshop
from vqcodec.model.catalog import check_name
from vqcodec.model.companion import CompanionCard
from vqcodec.model.file import ModelCard
from vqcodec.training.code_run import BATCH, CodeRun, GeneratorProgress

__all__ = ["NETWORKS", "train_generator"]

# A configuration of each kind, but for what the codes say of themselves.
NETWORKS: dict[str, Callable[..., GeneratorConfig]] = {
    "transformer": partial(TransformerConfig, channels=128, depth=2, heads=4),
    "recurrent": partial(RecurrentConfig, channels=256, depth=1),
}

# Every so many signals one is held out; it says when the network begins to learn by heart.
_HELD_OUT = 10
# Samples in all of nudged copies, where the run has time for them: 100,000 pictures of 28 x 28, for
# which the model's analysis takes a minute.
_ENOUGH = 80_000_000


@kernels_refuse()
def train_generator(
    place: str | Path,
    output: str | Path,
    *,
    model: str | Path,
    labels: str | Path | None = None,
    extent: tuple[int, ...] | None = None,
    stages: int | None = None,
    network: str = "transformer",
    steps: int = 5000,
    seed: int = 0,
    device: str = "auto",
    report: Callable[[GeneratorProgress], None] | None = None,
) -> CompanionCard:
    """Train a network to draw the codes of a model, and write it with what it is worth.

    Few signals are learned in copies too, each nudged a little. The network that is written is
    the one that needs the fewest bits for held-out signals, every tenth. Beside its bits the
    file's metadata has those of the model's own priors.

    Args:
        place: a file of small signals, or a folder of signals of which parts are taken; of a
            folder, subfolders are the classes.
        model: whose codes it draws.
        labels: a file with the class of each signal.
        extent: of the parts of a folder's signals.
        stages: how many stages of codes, all by default.
        network: "transformer", where every code looks at all before it, or "recurrent", which
            carries a state from code to code.

    Raises:
        InputError: the file's stem cannot be a name; no such network; no signals, or too few;
            labels of another number.
        ModelError: no such model, or more codes than a network can look at.
    """
    output = Path(output)
    check_name(output.stem)
    if network not in NETWORKS:
        raise InputError(f"network must be one of {', '.join(NETWORKS)}, got {network!r}")
    codec = load(model, device=device)
    named_in = None if labels is None else Path(labels)
    samples, named = _signals(Path(place), named_in, extent, codec.card)
    held = torch.arange(len(samples)) % _HELD_OUT == 0
    copies = _copies(samples[~held], steps)
    known = _quantize(codec, _copied(codec, samples[~held], copies, seed), stages)
    judged = _quantize(codec, [samples[held]], stages)
    config = NETWORKS[network](
        stages=known.shape[1],
        codebook_size=codec.card.config.quantizer.codebook_size,
        positions=tuple(known.shape[2:]),
        extent=tuple(samples.shape[2:]),
        classes=int(named.max()),
    )
    torch.manual_seed(seed)
    run = CodeRun(config, codec.device)
    learned = (to_row(known), named[~held].repeat(copies))
    run.fit(learned, (to_row(judged), named[held]), steps=steps, report=report)
    facts = {"steps": steps, "seed": seed, "signals": len(samples), "copies": copies}
    facts |= _worth(run, codec, judged)
    return write_generator(output, codec.card, config, run.best, facts)


def _signals(
    place: Path, labels: Path | None, extent: tuple[int, ...] | None, card: ModelCard
) -> tuple[Tensor, Tensor]:
    """Signals (N, C, *extent), and for each its class counted from 1, or 0 where there is none."""
    workshop = find_workshop(card.config.medium.kind)
    samples, classes = workshop.labelled(place, labels, extent, card.config)
    if len(samples) < 2 * _HELD_OUT:
        raise InputError(f"{place}: {len(samples)} signals are too few to learn from")
    if classes is None:
        return samples, torch.zeros(len(samples), dtype=torch.int64)
    return samples, classes + 1


def _worth(run: CodeRun, codec: Codec, judged: Tensor) -> dict[str, Any]:
    """What codes that were held out take, and when and with what that was found."""
    return {
        "bits_per_code": round(run.least, 3),
        **_of_priors(codec, judged.numpy()),
        "torch": torch.__version__,
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _copies(samples: Tensor, steps: int) -> int:
    """How often a run of so many steps has time for each of these signals."""
    enough = min(_ENOUGH // samples[0].numel(), steps * BATCH)
    return max(1, enough // len(samples))


def _copied(codec: Codec, samples: Tensor, copies: int, seed: int) -> Iterator[Tensor]:
    """Signals as they are, then all of them anew, each nudged."""
    yield samples
    workshop = find_workshop(codec.medium.name)
    random = np.random.default_rng(seed)
    for _ in range(copies - 1):
        yield workshop.nudged(samples, random)


def _quantize(codec: Codec, signals: Iterable[Tensor], stages: int | None) -> Tensor:
    parts = (part for some in signals for part in torch.split(some, 256))
    return torch.cat([codec.quantize(part)[:, :stages].cpu() for part in parts])


def _of_priors(codec: Codec, codes: np.ndarray) -> dict[str, Any]:
    """Bits of a code of signals, (N, S, *positions), each coded on its own, by each prior."""
    return {
        f"bits_per_code_{prior.name}": round(
            float(np.mean([prior.stage_bits(grid).sum() / grid.size for grid in codes])), 3
        )
        for number, prior in codec.priors.items()
        if number > 0
    }
