"""Training of a learned prior: a transformer over the codes that a model has for signals."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vqcodec.codec import Codec, load
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.generative.config import TransformerConfig
from vqcodec.generative.generator import new_network, to_row, write_generator
from vqcodec.generative.transformer import CodeTransformer
from vqcodec.media.registry import find_workshop
from vqcodec.model.catalog import check_name
from vqcodec.model.companion import CompanionCard

__all__ = ["GeneratorProgress", "train_generator"]

_CHANNELS, _DEPTH, _HEADS = 128, 4, 4
_BATCH = 128
_LEARNING_RATE = 1e-3
_WARMUP = 100
_DROPOUT = 0.2
# Share of the signals whose class is kept from the network, so that it can be asked for none.
_NAMELESS = 0.1
# Every so many signals one is held out; it says when the network begins to learn by heart.
_HELD_OUT = 10
_JUDGE_EVERY = 50


@dataclass(frozen=True)
class GeneratorProgress:
    """What a run says about itself: steps, share done, bits of a code, of held-out signals too."""

    steps: int
    share: float
    bits: float
    held_out_bits: float


@kernels_refuse()
def train_generator(
    place: str | Path,
    output: str | Path,
    *,
    model: str | Path,
    labels: str | Path | None = None,
    extent: tuple[int, ...] | None = None,
    stages: int | None = None,
    steps: int = 2000,
    seed: int = 0,
    device: str = "auto",
    report: Callable[[GeneratorProgress], None] | None = None,
) -> CompanionCard:
    """Train a transformer to draw the codes of a model, and write it with what it is worth.

    The network that is written is the one that needs the fewest bits for held-out signals, every
    tenth. Beside its bits the file's metadata has those of the model's own priors.

    Args:
        place: a file of small signals, or a folder of signals of which parts are taken; of a
            folder, subfolders are the classes.
        model: whose codes it draws.
        labels: a file with the class of each signal.
        extent: of the parts of a folder's signals.
        stages: how many stages of codes, all by default.

    Raises:
        InputError: the file's stem cannot be a name; no signals, or too few; labels of another
            number.
        ModelError: no such model, or more codes than a transformer can look at.
    """
    output = Path(output)
    check_name(output.stem)
    codec = load(model, device=device)
    workshop = find_workshop(codec.medium.name)
    samples, classes = workshop.labelled(
        Path(place), None if labels is None else Path(labels), extent, codec.card.config
    )
    if len(samples) < 2 * _HELD_OUT:
        raise InputError(f"{place}: {len(samples)} signals are too few to learn from")
    codes = torch.cat([codec.quantize(part).cpu() for part in torch.split(samples, 256)])[
        :, :stages
    ]
    config = TransformerConfig(
        stages=codes.shape[1],
        codebook_size=codec.card.config.quantizer.codebook_size,
        positions=tuple(codes.shape[2:]),
        extent=tuple(samples.shape[2:]),
        classes=0 if classes is None else int(classes.max()) + 1,
        channels=_CHANNELS,
        depth=_DEPTH,
        heads=_HEADS,
    )
    named = torch.zeros(len(codes), dtype=torch.int64) if classes is None else classes + 1
    held = torch.arange(len(codes)) % _HELD_OUT == 0
    torch.manual_seed(seed)
    run = _Run(config, codec.device)
    run.fit(to_row(codes), named, held, steps=steps, report=report)
    facts = {
        "steps": steps,
        "seed": seed,
        "signals": len(codes),
        "bits_per_code": run.verdict(to_row(codes[held]), named[held]),
        **_of_priors(codec, codes[held].numpy()),
        "torch": torch.__version__,
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    return write_generator(output, codec.card, config, run.best, facts)


class _Run:
    """A network that learns, and the best that it has been."""

    def __init__(self, config: TransformerConfig, device: torch.device) -> None:
        self._device = device
        self._network = new_network(config, dropout=_DROPOUT).to(device)
        self.best: CodeTransformer = self._network
        self._least = math.inf

    def fit(
        self,
        rows: Tensor,
        classes: Tensor,
        held: Tensor,
        *,
        steps: int,
        report: Callable[[GeneratorProgress], None] | None,
    ) -> None:
        known, judged = (rows[~held], classes[~held]), (rows[held], classes[held])
        optimizer = torch.optim.AdamW(self._network.parameters(), _LEARNING_RATE, weight_decay=0.05)
        for step in range(steps):
            picks = torch.randint(len(known[0]), (_BATCH,))
            row, named = (tensor[picks].to(self._device) for tensor in known)
            named = named.masked_fill(torch.rand(len(named), device=self._device) < _NAMELESS, 0)
            self._network.train()
            bits = self._network.bits(row, named).mean()
            bits.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
            rate = min(1.0, (step + 1) / _WARMUP) * (1 + math.cos(math.pi * step / steps)) / 2
            optimizer.param_groups[0]["lr"] = _LEARNING_RATE * rate
            optimizer.step()
            optimizer.zero_grad()
            if (step + 1) % _JUDGE_EVERY == 0 or step + 1 == steps:
                now = self._judge(*judged)
                if report is not None:
                    share = (step + 1) / steps
                    report(GeneratorProgress(step + 1, share, float(bits.detach()), now))

    def verdict(self, rows: Tensor, classes: Tensor) -> float:
        """Bits of a code of these signals, by the best network."""
        return round(_bits(self.best, rows, classes, self._device), 3)

    def _judge(self, rows: Tensor, classes: Tensor) -> float:
        bits = _bits(self._network, rows, classes, self._device)
        if bits < self._least:
            self._least, self.best = bits, copy.deepcopy(self._network)
        return bits


@torch.no_grad()
def _bits(network: CodeTransformer, rows: Tensor, classes: Tensor, device: torch.device) -> float:
    network.eval()
    found = [
        network.bits(row.to(device), named.to(device)).mean(1).cpu()
        for row, named in zip(torch.split(rows, 256), torch.split(classes, 256), strict=True)
    ]
    return float(torch.cat(found).mean())


def _of_priors(codec: Codec, codes: np.ndarray) -> dict[str, Any]:
    """Bits of a code of signals, (N, S, *positions), each coded on its own, by each prior."""
    return {
        f"bits_per_code_{prior.name}": round(
            float(np.mean([prior.stage_bits(grid).sum() / grid.size for grid in codes])), 3
        )
        for number, prior in codec.priors.items()
        if number > 0
    }
