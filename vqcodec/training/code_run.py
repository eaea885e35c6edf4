"""A network over codes that learns: a learned prior's training, step by step."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vqcodec.generative.config import GeneratorConfig
from vqcodec.generative.generator import new_network
from vqcodec.generative.network import CodeNetwork

__all__ = ["BATCH", "CodeRun", "GeneratorProgress"]

BATCH = 64
_LEARNING_RATE = 2e-3
_WARMUP = 100
_DROPOUT = 0.1
# Share of the signals whose class is kept from the network, so that it can be asked for none.
_NAMELESS = 0.1
_JUDGE_EVERY = 50


@dataclass(frozen=True)
class GeneratorProgress:
    """What a run says about itself: steps, share done, bits of a code, of held-out signals too."""

    steps: int
    share: float
    bits: float
    held_out_bits: float


class CodeRun:
    """A network that learns; the best that it has been, and the least bits of a code that took."""

    def __init__(self, config: GeneratorConfig, device: torch.device) -> None:
        self._device = device
        self._network = new_network(config, dropout=_DROPOUT).to(device)
        self.best: CodeNetwork = self._network
        self.least = math.inf

    def fit(
        self,
        known: tuple[Tensor, Tensor],
        judged: tuple[Tensor, Tensor],
        *,
        steps: int,
        report: Callable[[GeneratorProgress], None] | None,
    ) -> None:
        """Learn from rows, int64 (N, T), of classes (N,), and see by others how well."""
        optimizer = torch.optim.AdamW(self._network.parameters(), _LEARNING_RATE, weight_decay=0.05)
        for step in range(steps):
            picks = torch.randint(len(known[0]), (BATCH,))
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

    def _judge(self, rows: Tensor, classes: Tensor) -> float:
        bits = _bits(self._network, rows, classes, self._device)
        if bits < self.least:
            self.least, self.best = bits, copy.deepcopy(self._network)
        return bits


@torch.no_grad()
def _bits(network: CodeNetwork, rows: Tensor, classes: Tensor, device: torch.device) -> float:
    network.eval()
    found = [
        network.bits(row.to(device), named.to(device)).mean(1).cpu()
        for row, named in zip(torch.split(rows, 256), torch.split(classes, 256), strict=True)
    ]
    return float(torch.cat(found).mean())
