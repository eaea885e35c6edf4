"""The public operators: check the arguments, then let torch's dispatcher choose the kernel.

Words in the shapes: N vectors, K codebook size, D codebook dim, S stages. A codebook (K, D) serves
all rows; with leading axes it is one of several, and these axes are the last of those of x: heads h
of x (b, h, N, D) have codebooks (h, K, D). Floats are float32, float16 or bfloat16; x and codebook
need not share a dtype. Under autocast the operators compute
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

from vqcodec_kernels.search import checks, custom_ops, masks
from vqcodec_kernels.search.axes import group_rows, ungroup_rows
from vqcodec_kernels.search.reference import QuantizedVectors
from vqcodec_kernels.search.stages import beam_codes, residual_codes

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
    k: int | None = None,
    return_distance: Literal[False] = False,
    backend: str | None = None,
) -> Tensor: ...


@overload
def nearest_code(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    k: int | None = None,
    return_distance: Literal[True],
    backend: str | None = None,
) -> tuple[Tensor, Tensor]: ...


def nearest_code(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    k: int | None = None,
    return_distance: bool = False,
    backend: str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Find the code of the smallest ||x - c||^2 + bias, exactly, the lowest index at ties.

    x: (..., N, D). codebook: (K, D), or (..., K, D) with the last leading axes of x: one each.
    bias: (K,) or as codebook without D, finite or +infinity, which forbids a code. k: how many
    codes to find, at most as many as are allowed.
    Returns int64 codes (..., N), each in [0, K): the argmin of the float64 sum over d in order,
    the same integers from every backend; with k (..., N, k), in the order of that sum and of the
    index at ties, by backend "torch" on any device. With return_distance also that smallest sum,
    or the k smallest, bias included, rounded to float32, in the shape of the codes, with gradients
    to x, codebook and bias, the codes held fixed.

    >>> x, codebook = torch.tensor([[0.9], [3.2]]), torch.tensor([[0.0], [1.0], [4.0]])
    >>> nearest_code(x, codebook)
    tensor([1, 2])
    >>> nearest_code(x, codebook, torch.tensor([0.0, 5.0, 0.0]), return_distance=True)
    (tensor([0, 2]), tensor([0.8100, 0.6400]))
    >>> nearest_code(x, codebook, k=2)
    tensor([[1, 0],
            [2, 1]])
    """
    checks.check_search(x, codebook, bias)
    batch = codebook.dim() - 2
    rows = group_rows(x, batch)
    if k is None:
        codes, distance = _ops.nearest_code(rows, codebook, bias, return_distance, backend)
    else:
        checks.check_count(k, codebook.shape[-2])
        codes, distance = _ops.nearest_codes(rows, codebook, bias, k, backend)
    codes = ungroup_rows(codes, x.shape[:-1], batch)
    return (codes, ungroup_rows(distance, x.shape[:-1], batch)) if return_distance else codes


def nearest_code_fast(
    x: Tensor, codebook: Tensor, bias: Tensor | None = None, *, backend: str | None = None
) -> Tensor:
    """Find a code about as near as the nearest, in one pass of low precision where that is faster.

    Arguments and result are those of `nearest_code` without its options. Backend "native", the
    CPU's, is `nearest_code` itself: there the proof that a code is the nearest costs less than 2 %
    of the time. Backend "torch" computes in float32: the distance of the returned code exceeds the
    smallest by at most about D 2^-22 (||x|| max||c|| + max||c||^2 + max|bias|). Backend "triton"
    computes in float16, with the error that `triton.nearest.nearest_code_fast` states. So the
    codes of different backends may differ.

    >>> nearest_code_fast(torch.tensor([[0.9], [3.2]]), torch.tensor([[0.0], [1.0], [4.0]]))
    tensor([1, 2])
    """
    checks.check_search(x, codebook, bias)
    batch = codebook.dim() - 2
    codes: Tensor = _ops.nearest_code_fast(group_rows(x, batch), codebook, bias, backend)
    return ungroup_rows(codes, x.shape[:-1], batch)


def quantize_vectors(
    x: Tensor,
    codebook: Tensor,
    bias: Tensor | None = None,
    *,
    mask: Tensor | None = None,
    backend: str | None = None,
) -> QuantizedVectors:
    """Find the nearest codes, gather them, measure the error and count their use, in one call.

    Arguments are those of `nearest_code`. mask: bool (..., N), False for padding: such a row has
    code -1, values and error of zero, no gradients and no place in the counts, and may hold
    anything, NaN too.
    Returns codes, int64 (..., N); values, the codes' vectors (..., N, D) in the codebook's dtype;
    squared_error, float32 (..., N), ||x - values||^2 without the bias, summed in float64; counts,
    int64, the codebook's shape without D, uses of each code.
    values and squared_error carry gradients to x and codebook, with the codes held fixed; the
    straight-through estimator is the caller's.

    >>> found = quantize_vectors(torch.tensor([[0.5], [3.0]]), torch.tensor([[0.0], [1.0], [4.0]]))
    >>> found.codes, found.squared_error, found.counts
    (tensor([0, 2]), tensor([0.2500, 1.0000]), tensor([1, 0, 1]))
    """
    checks.check_search(x, codebook, bias)
    checks.check_mask(mask, x)
    batch = codebook.dim() - 2
    rows = group_rows(x, batch)
    if mask is None:
        found = _ops.quantize_vectors(rows, codebook, bias, backend)
    else:
        mask = group_rows(mask, batch, kept=1)
        found = _ops.quantize_vectors(masks.hide_rows(rows, mask), codebook, bias, backend)
        found = masks.hide_found(found, mask)
    values, error, codes = (ungroup_rows(part, x.shape[:-1], batch) for part in found[:3])
    return QuantizedVectors(codes, values, error, found[3])


def code_statistics(
    x: Tensor,
    codes: Tensor,
    codebook_size: int,
    *,
    mask: Tensor | None = None,
    codebook_axes: int | None = None,
    backend: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Count the vectors of every code and add them up, the same bits whatever the thread count.

    x: (..., N, D). codes: int64 (..., N), each in [0, codebook_size); InvalidInputError if not.
    mask: bool (..., N); where it is False, a row counts nowhere, whatever it and its code are.
    codebook_axes: how many of the last leading axes of x have a codebook each, all by default; the
    others are added up. Heads (b, h, N, D) with codebooks (h, K, D) have 1, or 0 where they share.
    Returns counts, int64 (..., K), and sums, float32 (..., K, D), with these axes leading: added in
    float64 in the order of the rows, rounded once; zero for a code without vectors. sums carry
    gradients to x.

    >>> x, codes = torch.tensor([[1.0], [2.0], [8.0]]), torch.tensor([0, 0, 2])
    >>> counts, sums = code_statistics(x, codes, 3)
    >>> counts, sums[:, 0]
    (tensor([2, 0, 1]), tensor([3., 0., 8.]))
    """
    checks.check_codes(x, codes, codebook_size)
    checks.check_mask(mask, x)
    batch = checks.check_codebook_axes(x, codebook_axes)
    rows, codes = group_rows(x, batch), group_rows(codes, batch, kept=1)
    if mask is None:
        counts, sums = _ops.code_statistics(rows, codes, codebook_size, backend)
        return counts, sums
    mask = group_rows(mask, batch, kept=1)
    rows, codes = masks.hide_rows(rows, mask), masks.hide_codes(codes, mask)
    counts, sums = _ops.code_statistics(rows, codes, codebook_size, backend)
    return masks.hide_counts(counts, codes, mask), sums
