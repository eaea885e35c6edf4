"""What networks over codes have in common: how likely rows are to them, and rows that they draw."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["CodeNetwork"]


class CodeNetwork(nn.Module, ABC):
    """Says how likely each code of a signal is, given those before it and a class.

    Codes stand in a row from position to position, at each from stage to stage. A row's start is a
    class, the first of which stands for none.
    """

    def __init__(
        self, *, stages: int, codebook_size: int, length: int, classes: int, channels: int
    ) -> None:
        super().__init__()
        self.stages, self.codebook_size, self.length = stages, codebook_size, length
        self.start = nn.Embedding(1 + classes, channels)
        self.codes = nn.Embedding(stages * codebook_size, channels)
        self.places = nn.Parameter(0.02 * torch.randn(length, channels))

    @abstractmethod
    def forward(self, row: Tensor, classes: Tensor) -> Tensor:
        """Logits of each code of rows, (B, T, K), from what comes before it.

        row: int64 (B, T); T up to the length. classes: int64 (B,), 0 for none, else one more than
        the class.
        """

    @abstractmethod
    def follow(self, row: Tensor, classes: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """Logits, (B, K), of the code that follows rows, (B, T), shorter than the length.

        memory: what the call for the rows without their last code returned, None for empty ones.
        """

    def enter(self, row: Tensor, classes: Tensor, first: int = 0) -> Tensor:
        """The class, then the codes of rows (B, T), for the network: (B, T + 1 - first, channels).

        first: place to begin at, 0 with the class.
        """
        behind, length = max(first - 1, 0), row.shape[1]
        stage = torch.arange(behind, length, device=row.device) % self.stages
        x: Tensor = self.codes(row[:, behind:] + stage * self.codebook_size)
        if not first:
            x = torch.cat([self.start(classes)[:, None], x], dim=1)
        return x + self.places[first : length + 1]

    def bits(self, row: Tensor, classes: Tensor) -> Tensor:
        """The information in each code of rows, in bits, (B, T)."""
        logits = self(row, classes)
        nats = functional.cross_entropy(logits.movedim(-1, 1).float(), row, reduction="none")
        return nats / torch.log(torch.tensor(2.0))

    @torch.no_grad()
    def draw(
        self, chance: Tensor, classes: Tensor, *, temperature: float = 1.0, top_p: float = 1.0
    ) -> Tensor:
        """Draw rows, int64 (B, T), code after code.

        Args:
            chance: float (B, T), even in [0, 1): which code is drawn where.
            classes: as for `forward`.
            temperature: above 0; below 1 likely codes become more so.
            top_p: draw of the likeliest codes that have this share together, in (0, 1].
        """
        row = torch.zeros(len(chance), 0, dtype=torch.int64, device=chance.device)
        memory = None
        for place in range(chance.shape[1]):
            logits, memory = self.follow(row, classes, memory)
            code = _pick((logits.float() / temperature).softmax(-1), chance[:, place], top_p)
            row = torch.cat([row, code[:, None]], dim=1)
        return row


def _pick(shares: Tensor, chance: Tensor, top_p: float) -> Tensor:
    """Of the likeliest codes, (B, K), those where the sum passes a part of the sum of all."""
    shares, order = shares.sort(dim=-1, descending=True, stable=True)
    sums = shares.cumsum(-1)
    # What comes before a code decides whether it belongs to the likeliest: one always does.
    kept = shares.masked_fill(sums - shares >= top_p, 0).cumsum(-1)
    wanted = chance[:, None] * kept[:, -1:]
    place = (kept <= wanted).sum(-1, keepdim=True).clamp_max(shares.shape[1] - 1)
    return order.gather(-1, place)[:, 0]
