"""Beam search over the stages of a residual quantizer.

A greedy search takes each stage's nearest code; the sum of the stages comes nearer to the row when
a few runners-up are followed as well (the M-algorithm, Jelinek and Anderson 1971). This is a
choice of the encoder's, with scores in float32, or of pieces of bfloat16 where a processor has
tiles for them: unlike the nearest code it is not the same on every machine.
"""

import torch
from torch import Tensor

from vqcodec_kernels.errors import BackendError, InvalidInputError
from vqcodec_kernels.search.checks import check_finite, check_residual

__all__ = ["beam_codes"]

_MAX_BEAMS = 64
# Rows searched at once in plain torch: the scores of a block stay in the cache of a core.
_BLOCK = 2048


def beam_codes(
    x: Tensor,
    codebooks: Tensor,
    biases: Tensor | None = None,
    *,
    beams: int,
    backend: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Search all stages, keeping the `beams` cheapest beginnings of each row after every stage.

    A beginning costs the squared length of what it leaves of the row and the biases of its codes.

    x: float32 (N, D). codebooks: float32 (S, K, D), S >= 1. biases: (S, K) or (K,). beams: 1 to 64.
    backend: "native" (CPU), "torch" (any device), or None for the fastest.
    Returns codes int64 (N, S) and the squared error float32 (N, S), biases left out, that the
    cheapest of the last stage leaves after each stage.
    Raises InvalidInputError for another shape, dtype or value, BackendError for a backend that
    cannot run here.
    """
    check_residual(x, codebooks, biases, None)
    if x.dim() != 2 or codebooks.dim() != 3 or len(codebooks) == 0:
        raise InvalidInputError(
            f"x must be (N, D), codebooks (S, K, D), got {tuple(x.shape)}, {tuple(codebooks.shape)}"
        )
    if x.dtype != torch.float32 or codebooks.dtype != torch.float32:
        raise InvalidInputError(f"beams need float32, got {x.dtype} and {codebooks.dtype}")
    if not 1 <= beams <= _MAX_BEAMS:
        raise InvalidInputError(f"beams must be in [1, {_MAX_BEAMS}], got {beams}")
    if backend is None:
        backend = "native" if x.device.type == "cpu" else "torch"
    biases = codebooks.new_zeros(()) if biases is None else biases.float()
    biases = biases.expand(codebooks.shape[:2])
    if backend == "torch":
        return _beam_codes_torch(x, codebooks, biases, beams)
    if backend != "native" or x.device.type != "cpu":
        raise BackendError(f"backend {backend!r} has no beam search for device {x.device}")
    from vqcodec_kernels.search import native_beam

    return native_beam.beam_codes(x, codebooks, biases, beams)


def _beam_codes_torch(
    x: Tensor, codebooks: Tensor, biases: Tensor, beams: int
) -> tuple[Tensor, Tensor]:
    for name, values in (("x", x), ("codebooks", codebooks), ("biases", biases)):
        check_finite(name, values)
    parts = [_beam_block(block, codebooks, biases, beams) for block in torch.split(x, _BLOCK)]
    codes, errors = zip(*parts, strict=True)
    return torch.cat(codes), torch.cat(errors)


def _beam_block(
    rows: Tensor, codebooks: Tensor, biases: Tensor, beams: int
) -> tuple[Tensor, Tensor]:
    count, size = len(rows), codebooks.shape[1]
    residual = rows[:, None]  # (N, M, D)
    paid = rows.new_zeros(count, 1)
    codes = torch.zeros(count, 1, 0, dtype=torch.int64, device=rows.device)
    errors = rows.new_zeros(count, 1, 0)
    for vectors, bias in zip(codebooks, biases, strict=True):
        width = residual.shape[1]
        offsets = vectors.square().sum(1) + bias
        scores = torch.addmm(offsets, residual.flatten(0, 1), vectors.T, alpha=-2)
        scores = scores.view(count, width, size)
        scores += (residual.square().sum(2) + paid)[:, :, None]
        picks = scores.flatten(1).topk(min(beams, width * size), largest=False).indices
        parents, chosen = picks // size, picks % size
        residual = _take(residual, parents) - vectors[chosen]
        paid = paid.gather(1, parents) + bias[chosen]
        codes = torch.cat([_take(codes, parents), chosen[:, :, None]], 2)
        errors = torch.cat([_take(errors, parents), residual.square().sum(2)[:, :, None]], 2)
    best = (errors[:, :, -1] + paid).argmin(1)[:, None]
    return _take(codes, best)[:, 0], _take(errors, best)[:, 0]


def _take(values: Tensor, picks: Tensor) -> Tensor:
    """Select (N, M', X) rows of (N, M, X) by (N, M') indices."""
    return values.gather(1, picks[:, :, None].expand(-1, -1, values.shape[2]))
