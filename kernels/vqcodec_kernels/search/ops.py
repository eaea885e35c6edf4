"""The public operators: check the arguments, then let torch's dispatcher choose the kernel.

Words in the shapes: N vectors, K codebook size, D codebook dim, S stages. Floats are float32,
float16 or bfloat16; x and codebook need not share a dtype. Under autocast the operators compute
with the values they are given. Every operator raises InvalidInputError for a wrong dtype, device,
shape, size (D in [1, 1024], K in [1, 2^20]) or value (NaN, infinity), and BackendError for a
backend that was asked for and cannot run.

`backend` is "torch", "native" (C++, CPU) or "triton" (CUDA); by default the fastest for the device.
"""

from typing import Literal, overload

import torch
from torch import Tensor

from vqcodec_kernels.search import checks, custom_ops
from vqcodec_kernels.search.reference import QuantizedVectors

__all__ = [
    "QuantizedVectors",
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
    bias: (K,) or as codebook without D, finite.
    Returns int64 codes (..., N), each in [0, K): the argmin of the float64 sum over d in order,
    the same integers from every backend. With return_distance also that smallest sum, bias
    included, rounded to float32 (..., N).
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
    from every code, and its codes are 0 from there on.
    """
    stages = checks.check_residual(x, codebooks, biases, stages)
    codes: Tensor = _ops.residual_codes(x, codebooks, biases, stages, backend)
    return codes


def quantize_vectors(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, backend: str | None = None
) -> QuantizedVectors:
    """Find the nearest codes, gather them, measure the error and count their use, in one call.

    Arguments are those of `nearest_code`. Returns codes, int64 (..., N); values, the codes'
    vectors (..., N, D) in the codebook's dtype; squared_error, float32 (..., N), ||x - values||^2
    without the bias, summed in float64; counts, int64 (K,) or (..., K), uses of each code.
    values and squared_error carry gradients to x and codebook, with the codes held fixed; the
    straight-through estimator is the caller's.
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
    N, rounded once; zero for a code without vectors.
    """
    checks.check_codes(x, codes, codebook_size)
    counts, sums = _ops.code_statistics(x, codes, codebook_size, backend)
    return counts, sums
