"""The public operators: check the arguments, then let torch's dispatcher choose the kernel.

Words in the shapes: N vectors, K codebook size, D codebook dim, S stages. Floats are float32,
float16 or bfloat16; x and codebook need not share a dtype. Under autocast the operators compute
with the values they are given. Every operator raises InvalidInputError for a wrong dtype, device,
shape, size (D in [1, 1024], K in [1, 2^20]) or value (NaN, infinity), and BackendError for a
backend that was asked for and cannot run. A bias alone may be +infinity, which forbids its code:
it is never returned, and a codebook whose codes are all forbidden is refused. Gradients are those
of reverse mode by `torch.autograd`; forward mode and `torch.func.grad` are refused.

`backend` is "torch", "native" (C++, CPU) or "triton" (CUDA); by default the fastest for the device.
"""

from typing import Literal, overload

import torch
from torch import Tensor

from vqcodec_kernels.search import checks, custom_ops
from vqcodec_kernels.search.reference import QuantizedVectors

__all__ = [
    "QuantizedVectors",
    "beam_codes",
    "code_statistics",
    "nearest_code",
    "nearest_code_fast",
    "quantize_vectors",
    "residual_codes",
]

_ops = torch.ops.vqcodec
assert all(hasattr(_ops, name) for name in custom_ops.OPERATORS)


@overload
def nearest_code(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    return_distance: Literal[False] = False,
    backend: str | None = None,
) -> Tensor: ...


@overload
def nearest_code(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    return_distance: Literal[True],
    backend: str | None = None,
) -> tuple[Tensor, Tensor]: ...


def nearest_code(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    return_distance: bool = False,
    backend: str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Find the code of the smallest ||x - c||^2 + bias, exactly, the lowest index at ties.

    x: (..., N, D). codebook: (K, D), or (..., K, D) with the leading axes of x: one codebook each.
    bias: (K,) or as codebook without D, finite or +infinity, which forbids a code.
    Returns int64 codes (..., N), each in [0, K): the argmin of the float64 sum over d in order,
    the same integers from every backend. With return_distance also that smallest sum, bias
    included, rounded to float32 (..., N), with gradients to x, codebook and bias, the codes held
    fixed.

    >>> x, codebook = torch.tensor([[0.9], [3.2]]), torch.tensor([[0.0], [1.0], [4.0]])
    >>> nearest_code(x, codebook)
    tensor([1, 2])
    >>> nearest_code(x, codebook, torch.tensor([0.0, 5.0, 0.0]), return_distance=True)
    (tensor([0, 2]), tensor([0.8100, 0.6400]))
    """
    checks.check_search(x, codebook, bias)
    codes, distance = _ops.nearest_code(x, codebook, bias, return_distance, backend)
    return (codes, distance) if return_distance else codes


def nearest_code_fast(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, backend: str | None = None
) -> Tensor:
    """Find a code about as near as the nearest, in one pass of low precision where that is faster.

    Arguments and result are those of `nearest_code`. Backend "native", the CPU's, is
    `nearest_code` itself: there the proof that a code is the nearest costs less than 2 % of the
    time. Backend "torch" computes in float32: the distance of the returned code exceeds the
    smallest by at most about D 2^-22 (||x|| max||c|| + max||c||^2 + max|bias|). Backend "triton"
    computes in float16, with the error that `triton.nearest.nearest_code_fast` states. So the
    codes of different backends may differ.

    >>> nearest_code_fast(torch.tensor([[0.9], [3.2]]), torch.tensor([[0.0], [1.0], [4.0]]))
    tensor([1, 2])
    """
    checks.check_search(x, codebook, bias)
    codes: Tensor = _ops.nearest_code_fast(x, codebook, bias, backend)
    return codes


def residual_codes(
    x: Tensor,
    codebooks: Tensor,
    biases: Tensor | None = None,
    stages: int | None = None,
    *,
    backend: str | None = None,
) -> Tensor:
    """Run every stage of a residual quantizer: each quantizes what the last left over.

    x: (..., N, D). codebooks: (S, K, D), or (..., S, K, D) with the leading axes of x.
    biases: (S, K) or as codebooks without D. stages: how many to run, in [0, S]; all by default.
    Returns int64 codes (..., N, stages): those of `nearest_code` on r, where r is x in float32 and
    r - c, rounded in float32, after each stage. Where that overflows, the row is infinitely far
    from every code, and takes each stage's first that is not forbidden, code 0 as a rule.

    >>> codebooks = torch.tensor([[[4.0], [7.0]], [[0.0], [-2.0]]])
    >>> residual_codes(torch.tensor([[5.0], [6.0]]), codebooks)
    tensor([[0, 0],
            [1, 0]])
    """
    stages = checks.check_residual(x, codebooks, biases, stages)
    codes: Tensor = _ops.residual_codes(x, codebooks, biases, stages, backend)
    return codes


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
    nearest code the result is not the same on every machine.

    x: float32 (N, D). codebooks: float32 (S, K, D), S >= 1. biases: (S, K) or (K,). beams: 1 to 64.
    Returns codes int64 (N, S) and the squared error float32 (N, S), biases left out, that the
    cheapest of the last stage leaves after each stage, without gradients. There is no backend
    "triton".

    >>> x, codebooks = torch.tensor([[5.0]]), torch.tensor([[[4.0], [7.0]], [[0.0], [-2.0]]])
    >>> beam_codes(x, codebooks, beams=1)
    (tensor([[0, 0]]), tensor([[1., 1.]]))
    >>> beam_codes(x, codebooks, beams=2)
    (tensor([[1, 1]]), tensor([[4., 0.]]))
    """
    checks.check_beams(x, codebooks, biases, beams)
    codes, errors = _ops.beam_codes(x, codebooks, biases, beams, backend)
    return codes, errors


def quantize_vectors(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, backend: str | None = None
) -> QuantizedVectors:
    """Find the nearest codes, gather them, measure the error and count their use, in one call.

    Arguments are those of `nearest_code`. Returns codes, int64 (..., N); values, the codes'
    vectors (..., N, D) in the codebook's dtype; squared_error, float32 (..., N), ||x - values||^2
    without the bias, summed in float64; counts, int64 (K,) or (..., K), uses of each code.
    values and squared_error carry gradients to x and codebook, with the codes held fixed; the
    straight-through estimator is the caller's.

    >>> found = quantize_vectors(torch.tensor([[0.5], [3.0]]), torch.tensor([[0.0], [1.0], [4.0]]))
    >>> found.codes, found.squared_error, found.counts
    (tensor([0, 2]), tensor([0.2500, 1.0000]), tensor([1, 0, 1]))
    """
    checks.check_search(x, codebook, bias)
    values, error, codes, counts = _ops.quantize_vectors(x, codebook, bias, backend)
    return QuantizedVectors(codes, values, error, counts)


def code_statistics(
    x: Tensor, codes: Tensor, codebook_size: int, *, backend: str | None = None
) -> tuple[Tensor, Tensor]:
    """Count the vectors of every code and add them up, the same bits whatever the thread count.

    x: (..., N, D). codes: int64 (..., N), each in [0, codebook_size); InvalidInputError if not.
    Returns counts, int64 (..., K), and sums, float32 (..., K, D): added in float64 in the order of
    N, rounded once; zero for a code without vectors. sums carry gradients to x.

    >>> x, codes = torch.tensor([[1.0], [2.0], [8.0]]), torch.tensor([0, 0, 2])
    >>> counts, sums = code_statistics(x, codes, 3)
    >>> counts, sums[:, 0]
    (tensor([2, 0, 1]), tensor([3., 0., 8.]))
    """
    checks.check_codes(x, codes, codebook_size)
    counts, sums = _ops.code_statistics(x, codes, codebook_size, backend)
    return counts, sums
