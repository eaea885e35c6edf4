"""The public operators that run the stages of a residual quantizer; what `ops` says holds here."""

from typing import Literal, overload

import torch
from torch import Tensor

from vqcodec_kernels.search import checks, custom_ops
from vqcodec_kernels.search.axes import group_rows, ungroup_rows

__all__ = ["beam_codes", "residual_codes"]

_ops = torch.ops.vqcodec
assert all(hasattr(_ops, name) for name in custom_ops.OPERATORS)


@overload
def residual_codes(
    x: Tensor,
    codebooks: Tensor,
    biases: Tensor | None = None,
    stages: int | None = None,
    *,
    return_values: Literal[False] = False,
    backend: str | None = None,
) -> Tensor: ...


@overload
def residual_codes(
    x: Tensor,
    codebooks: Tensor,
    biases: Tensor | None = None,
    stages: int | None = None,
    *,
    return_values: Literal[True],
    backend: str | None = None,
) -> tuple[Tensor, Tensor]: ...


def residual_codes(
    x: Tensor,
    codebooks: Tensor,
    biases: Tensor | None = None,
    stages: int | None = None,
    *,
    return_values: bool = False,
    backend: str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Run every stage of a residual quantizer: each quantizes what the last left over.

    x: (..., N, D). codebooks: (S, K, D), or (..., S, K, D) with the last leading axes of x.
    biases: (S, K) or as codebooks without D. stages: how many to run, in [0, S]; all by default.
    Returns int64 codes (..., N, stages): those of `nearest_code` on r, where r is x in float32 and
    r - c, rounded in float32, after each stage. Where that overflows, the row is infinitely far
    from every code, and takes each stage's first that is not forbidden, code 0 as a rule.
    With return_values also float32 (..., N, D): the codes' vectors, added to zero in float32 in the
    order of the stages. That is what the codes alone decode to, and x - r up to rounding. It
    carries gradients to the codebooks, with the codes held fixed, and none to x: the
    straight-through estimator is the caller's.

    >>> codebooks = torch.tensor([[[4.0], [7.0]], [[0.0], [-2.0]]])
    >>> residual_codes(torch.tensor([[5.0], [6.0]]), codebooks)
    tensor([[0, 0],
            [1, 0]])
    >>> residual_codes(torch.tensor([[5.0], [6.0]]), codebooks, return_values=True)[1]
    tensor([[4.],
            [7.]])
    """
    stages = checks.check_residual(x, codebooks, biases, stages)
    batch = codebooks.dim() - 3
    codes: Tensor = _ops.residual_codes(group_rows(x, batch), codebooks, biases, stages, backend)
    found = ungroup_rows(codes, x.shape[:-1], batch)
    if not return_values:
        return found
    return found, ungroup_rows(_add_vectors(codebooks, codes), x.shape[:-1], batch)


def beam_codes(
    x: Tensor,
    codebooks: Tensor,
    biases: Tensor | None = None,
    *,
    beams: int,
    backend: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Search all stages, keeping the `beams` cheapest beginnings of each row after every stage.

    A greedy search takes each stage's nearest code; the sum of the stages comes nearer to the row
    when a few runners-up are followed as well (the M-algorithm, Jelinek and Anderson 1971). A
    beginning costs the squared length of what it leaves of the row and the biases of its codes.
    Scores are in float32, or of pieces of bfloat16 where a processor has tiles for them: unlike the
    nearest code the result is not the same on every machine, and of rows whose squares overflow
    float32 it may be any.

    Arguments are those of `residual_codes`, S >= 1, half precision widened to float32; biases may
    be (K,) as well. beams: 1 to 64.
    Returns codes int64 (..., N, S) and the squared error float32 (..., N, S), biases left out, that
    the cheapest of the last stage leaves after each stage, without gradients. There is no backend
    "triton".

    >>> x, codebooks = torch.tensor([[5.0]]), torch.tensor([[[4.0], [7.0]], [[0.0], [-2.0]]])
    >>> beam_codes(x, codebooks, beams=1)
    (tensor([[0, 0]]), tensor([[1., 1.]]))
    >>> beam_codes(x, codebooks, beams=2)
    (tensor([[1, 1]]), tensor([[4., 0.]]))
    """
    checks.check_beams(x, codebooks, biases, beams)
    batch = codebooks.dim() - 3
    found = _ops.beam_codes(group_rows(x, batch), codebooks, biases, beams, backend)
    codes, errors = (ungroup_rows(part, x.shape[:-1], batch) for part in found)
    return codes, errors


def _add_vectors(codebooks: Tensor, codes: Tensor) -> Tensor:
    """The sum (..., N, D) of the vectors of codes (..., N, stages), stage by stage in float32."""
    shape = (*codes.shape[:-1], codebooks.shape[-1])
    total = torch.zeros(shape, dtype=torch.float32, device=codes.device)
    for stage, chosen in enumerate(codes.unbind(-1)):
        picks = chosen.unsqueeze(-1).expand(shape)
        total = total + codebooks[..., stage, :, :].gather(-2, picks).float()
    return total
