"""A recurrent network over codes: what came before is carried along in a state."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from vqcodec.generative.network import CodeNetwork

__all__ = ["CodeRecurrence"]


class CodeRecurrence(CodeNetwork):
    """Layers of gated recurrent units (Cho et al. 2014) over the codes of a signal in a row.

    A row is drawn in time linear in its length. The class stands beside every code: a state that
    had to carry it along would forget it.

    >>> network = CodeRecurrence(
    ...     stages=1, codebook_size=64, length=8, classes=10, channels=32, depth=2
    ... )
    >>> import torch
    >>> network(torch.zeros(5, 8, dtype=torch.int64), torch.zeros(5, dtype=torch.int64)).shape
    torch.Size([5, 8, 64])
    """

    def __init__(
        self,
        *,
        stages: int,
        codebook_size: int,
        length: int,
        classes: int,
        channels: int,
        depth: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            stages=stages,
            codebook_size=codebook_size,
            length=length,
            classes=classes,
            channels=channels,
        )
        between = dropout if depth > 1 else 0.0
        self.layers = nn.GRU(channels, channels, depth, batch_first=True, dropout=between)
        self.leave = nn.Linear(channels, codebook_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, row: Tensor, classes: Tensor) -> Tensor:
        """See `CodeNetwork.forward`."""
        found, _ = self.layers(self.dropout(self._inputs(row[:, :-1], classes)))
        logits: Tensor = self.leave(self.dropout(found))
        return logits

    def follow(self, row: Tensor, classes: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """See `CodeNetwork.follow`: the memory is the state behind the last code but one."""
        found, memory = self.layers(self._inputs(row, classes, first=row.shape[1]), memory)
        return self.leave(found[:, 0]), memory

    def _inputs(self, row: Tensor, classes: Tensor, first: int = 0) -> Tensor:
        beside: Tensor = self.start(classes)[:, None]
        return self.enter(row, classes, first) + beside
