"""A causal transformer over codes: how likely each code is, given those before it and a class."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["CodeTransformer"]


class CodeTransformer(nn.Module):
    """Layers of attention (Vaswani et al. 2017) over the codes of a signal in a row.

    The row goes from position to position, at each from stage to stage. Its start is a class, the
    first of which stands for none.

    >>> network = CodeTransformer(
    ...     stages=1, codebook_size=64, length=8, classes=10, channels=32, depth=2, heads=4
    ... )
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
        super().__init__()
        self.stages, self.codebook_size, self.length = stages, codebook_size, length
        self.start = nn.Embedding(1 + classes, channels)
        self.codes = nn.Embedding(stages * codebook_size, channels)
        self.places = nn.Parameter(0.02 * torch.randn(length, channels))
        layer = nn.TransformerEncoderLayer(
            channels, heads, 4 * channels, dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(channels)
        self.leave = nn.Linear(channels, codebook_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, row: Tensor, classes: Tensor) -> Tensor:
        """Logits of each code of rows, (B, T, K), from what comes before it.

        row: int64 (B, T); T up to the length. classes: int64 (B,), 0 for none, else one more than
        the class.
        """
        length = row.shape[1]
        stage = torch.arange(length, device=row.device) % self.stages
        known = self.codes(row[:, :-1] + stage[:-1] * self.codebook_size)
        x = torch.cat([self.start(classes)[:, None], known], dim=1) + self.places[:length]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=row.device)
        logits: Tensor = self.leave(self.norm(self.layers(self.dropout(x), mask, is_causal=True)))
        return logits

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
        for place in range(chance.shape[1]):
            padded = functional.pad(row, (0, 1))
            shares = (self(padded, classes)[:, -1].float() / temperature).softmax(-1)
            code = _pick(shares, chance[:, place], top_p)
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
