"""A causal transformer over codes: every code looks at all before it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from vqcodec.generative.network import CodeNetwork

__all__ = ["CodeTransformer"]


class CodeTransformer(CodeNetwork):
    """Layers of attention (Vaswani et al. 2017) over the codes of a signal in a row.

    >>> network = CodeTransformer(
    ...     stages=1, codebook_size=64, length=8, classes=10, channels=32, depth=2, heads=4
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
        heads: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            stages=stages,
            codebook_size=codebook_size,
            length=length,
            classes=classes,
            channels=channels,
        )
        layer = nn.TransformerEncoderLayer(
            channels, heads, 4 * channels, dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(channels)
        self.leave = nn.Linear(channels, codebook_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, row: Tensor, classes: Tensor) -> Tensor:
        """See `CodeNetwork.forward`."""
        x = self.dropout(self.enter(row[:, :-1], classes))
        mask = nn.Transformer.generate_square_subsequent_mask(row.shape[1], device=row.device)
        logits: Tensor = self.leave(self.norm(self.layers(x, mask, is_causal=True)))
        return logits

    def follow(self, row: Tensor, classes: Tensor, memory: Any) -> tuple[Tensor, Any]:
        """See `CodeNetwork.follow`: attention reads the whole row again and remembers nothing."""
        return self(functional.pad(row, (0, 1)), classes)[:, -1], None
