"""How the encoder chooses codes: beams over the stages, with a price on bits."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["beam_codes"]

# Rows searched at once: the scores of a block stay in the cache of a core.
_BLOCK = 2048


def beam_codes(
    rows: Tensor, codebooks: Tensor, *, bits: Tensor, prices: Tensor, beams: int
) -> tuple[Tensor, Tensor]:
    """Search the stages of a residual quantizer with several candidates kept per row.

    A greedy search takes each stage's nearest code; the sum of the stages is nearer when a few
    runners-up are followed as well (M-algorithm, Jelinek and Anderson 1971). Each stage minimises
    ||residual||^2 + sum over the stages so far of price * bits.

    Args:
        rows: float32 (N, D).
        codebooks: float32 (S, K, D).
        bits: float32 (S, K), cost of each code.
        prices: float32 (S,), squared distance that one bit of a stage is worth, >= 0.
        beams: candidates kept per row, at least 1.

    Returns:
        codes int64 (N, S), and the squared error float32 (N, S) that the best candidate of the
        last stage leaves after each stage.
    """
    biases = bits * prices[:, None] + codebooks.square().sum(2)
    parts = [
        _beam_block(block, codebooks, biases, bits * prices[:, None], beams)
        for block in torch.split(rows, _BLOCK)
    ]
    if not parts:
        stages = len(codebooks)
        return rows.new_zeros(0, stages, dtype=torch.int64), rows.new_zeros(0, stages)
    codes, errors = zip(*parts, strict=True)
    return torch.cat(codes), torch.cat(errors)


def _beam_block(
    rows: Tensor, codebooks: Tensor, biases: Tensor, costs: Tensor, beams: int
) -> tuple[Tensor, Tensor]:
    count, size = len(rows), codebooks.shape[1]
    residual = rows[:, None]  # (N, M, D)
    paid = rows.new_zeros(count, 1)
    codes = torch.zeros(count, 1, 0, dtype=torch.int64, device=rows.device)
    errors = rows.new_zeros(count, 1, 0)
    for vectors, bias, cost in zip(codebooks, biases, costs, strict=True):
        width = residual.shape[1]
        scores = torch.addmm(bias, residual.flatten(0, 1), vectors.T, alpha=-2)
        scores = scores.view(count, width, size)
        scores += (residual.square().sum(2) + paid)[:, :, None]
        keep = min(beams, width * size)
        picks = _smallest(scores.flatten(1), keep)
        parents, chosen = picks // size, picks % size
        residual = _take(residual, parents) - vectors[chosen]
        paid = paid.gather(1, parents) + cost[chosen]
        codes = torch.cat([_take(codes, parents), chosen[:, :, None]], 2)
        errors = torch.cat([_take(errors, parents), residual.square().sum(2)[:, :, None]], 2)
    best = (errors[:, :, -1] + paid).argmin(1)[:, None]
    return _take(codes, best)[:, 0], _take(errors, best)[:, 0]


def _smallest(scores: Tensor, count: int) -> Tensor:
    """Indices (N, count) of the smallest scores of each row, smallest first."""
    if count == 1:
        return scores.argmin(1, keepdim=True)
    return scores.topk(count, largest=False).indices


def _take(values: Tensor, picks: Tensor) -> Tensor:
    """Select (N, M', X) rows of (N, M, X) by (N, M') indices."""
    return values.gather(1, picks[:, :, None].expand(-1, -1, values.shape[2]))
