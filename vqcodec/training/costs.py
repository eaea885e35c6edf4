"""Which codes the finished encoder chooses, and what they cost."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vqcodec.quantizers.residual import ResidualQuantizer, usage_of
from vqcodec_kernels import beam_codes

__all__ = ["fit_shares", "measure_usage"]


@torch.no_grad()
def fit_shares(
    quantizer: ResidualQuantizer,
    rows: Tensor,
    *,
    mu: float,
    beams: int = 4,
    rounds: int = 3,
    report: Callable[[float], None] = lambda share: None,
) -> None:
    """Fit `quantizer.shares` to its own choices, for every number of stages.

    Costs decide what is chosen, and what is chosen decides the costs: the two are brought together
    by turns, as in entropy-constrained vector quantization (Chou, Lookabaugh and Gray 1989) with
    the codebooks held. Training has running shares, but of codebooks that were still moving.

    Args:
        rows: float32 (N, D), latents of training data.
        mu: weight of the rate in the search.
        report: called for every number of stages with the share of the work that is done.
    """
    books = torch.stack([book.vectors for book in quantizer.books()])
    for stages in range(1, len(books) + 1):
        price = quantizer.lagrangian(mu, stages)
        for _ in range(rounds):
            bits = quantizer.bits(stages)
            codes, _ = beam_codes(rows, books[:stages], bits * price, beams=beams)
            for stage in range(stages):
                counts = torch.bincount(codes[:, stage], minlength=books.shape[1])
                quantizer.shares[stages - 1, stage] = counts / len(rows)
        report(stages * (stages + 1) / (len(books) * (len(books) + 1)))


@torch.no_grad()
def measure_usage(
    quantizer: ResidualQuantizer, rows: Tensor, *, beams: int = 4
) -> list[tuple[int, float]]:
    """Per stage: how many codes are alive, and their perplexity, where bits are free (quality 100).

    Args:
        rows: float32 (N, D), latents of training data.
    """
    books = torch.stack([book.vectors for book in quantizer.books()])
    codes, _ = beam_codes(rows, books, beams=beams)
    return [usage_of(torch.bincount(c, minlength=books.shape[1]).float()) for c in codes.unbind(1)]
