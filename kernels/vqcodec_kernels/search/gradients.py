"""Reverse-mode derivatives of the operators: as if the codes, once found, were constants.

`nearest_code` and `nearest_codes` give distances ||x - c||^2 + bias, `quantize_vectors` errors
||x - c||^2 and the codes' vectors, `code_statistics` sums of rows. What the beams leave carries no
gradient.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["BACKWARD"]


def _nearest_code_setup(ctx: Any, inputs: Any, output: Any) -> None:
    x, codebook, bias, return_distance, _ = inputs
    codes, distance = output
    if not return_distance:
        ctx.mark_non_differentiable(codes, distance)
        return
    ctx.mark_non_differentiable(codes)
    ctx.save_for_backward(x, codebook, codes)
    ctx.bias_like = None if bias is None else (bias.shape, bias.dtype)


def _nearest_code_backward(
    ctx: Any, _codes: None, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
    x, codebook, codes = ctx.saved_tensors
    slope, books, bias = _distance_gradients(x, codebook, ctx.bias_like, codes, grad)
    return slope.to(x.dtype), books, bias, None, None


def _nearest_codes_setup(ctx: Any, inputs: Any, output: Any) -> None:
    x, codebook, bias, _, backend = inputs
    _nearest_code_setup(ctx, (x, codebook, bias, True, backend), output)


def _nearest_codes_backward(
    ctx: Any, _codes: None, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
    x, codebook, codes = ctx.saved_tensors
    k = codes.shape[-1]
    rows, codes, grad = x.repeat_interleave(k, -2), codes.flatten(-2), grad.flatten(-2)
    slope, books, bias = _distance_gradients(rows, codebook, ctx.bias_like, codes, grad)
    slope = slope.reshape(*x.shape[:-1], k, x.shape[-1]).sum(-2)
    return slope.to(x.dtype), books, bias, None, None


def _distance_gradients(
    x: Tensor, codebook: Tensor, bias_like: Any, codes: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor | None]:
    """What distances (..., N) pass on to x, in float32, to the codebook and to the bias."""
    slope = 2 * (x.float() - _gather(codebook.float(), codes)) * grad.unsqueeze(-1)
    grad_bias = None
    if bias_like is not None:
        shape, dtype = bias_like
        grad_bias = _scatter(grad.unsqueeze(-1), codes, (*codebook.shape[:-1], 1)).squeeze(-1)
        grad_bias = grad_bias.sum_to_size(shape).to(dtype)
    return slope, _scatter(-slope, codes, codebook.shape).to(codebook.dtype), grad_bias


def _quantize_vectors_setup(ctx: Any, inputs: Any, output: Any) -> None:
    x, codebook, _, _ = inputs
    values, _, codes, counts = output
    ctx.mark_non_differentiable(codes, counts)
    ctx.save_for_backward(x, values, codes)
    ctx.codebook_like = (codebook.shape, codebook.dtype)


def _quantize_vectors_backward(
    ctx: Any, grad_values: Tensor, grad_error: Tensor, _codes: None, _counts: None
) -> tuple[Tensor, Tensor, None, None]:
    x, values, codes = ctx.saved_tensors
    shape, dtype = ctx.codebook_like
    slope = 2 * (x.float() - values.float()) * grad_error.unsqueeze(-1)
    grad_codebook = _scatter(grad_values.float() - slope, codes, shape)
    return slope.to(x.dtype), grad_codebook.to(dtype), None, None


def _code_statistics_setup(ctx: Any, inputs: Any, output: Any) -> None:
    x, codes, _, _ = inputs
    ctx.mark_non_differentiable(output[0])
    ctx.save_for_backward(codes)
    ctx.dtype = x.dtype


def _code_statistics_backward(
    ctx: Any, _counts: None, grad_sums: Tensor
) -> tuple[Tensor, None, None, None]:
    (codes,) = ctx.saved_tensors
    return _gather(grad_sums, codes).to(ctx.dtype), None, None, None


def _beam_codes_setup(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.mark_non_differentiable(*output)


def _beam_codes_backward(ctx: Any, *_grads: None) -> tuple[None, ...]:
    return (None,) * 5


def _flat_codes(codes: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Codes (..., N) as indices (G, N', D) into books of the shape (..., K, D), G of them."""
    groups = torch.Size(shape[:-2]).numel()
    flat = codes.reshape(groups, codes.numel() // max(groups, 1), 1)
    return flat.expand(-1, -1, shape[-1])


def _gather(books: Tensor, codes: Tensor) -> Tensor:
    """The rows of books (..., K, D) at codes (..., N): (..., N, D)."""
    flat = _flat_codes(codes, books.shape)
    found = books.reshape(len(flat), *books.shape[-2:]).gather(1, flat)
    return found.reshape(*codes.shape, books.shape[-1])


def _scatter(rows: Tensor, codes: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Rows (..., N, D) added up at their codes (..., N): the shape (..., K, D)."""
    flat = _flat_codes(codes, shape)
    books = rows.new_zeros((len(flat), *shape[-2:]))
    return books.scatter_add(1, flat, rows.reshape(flat.shape)).reshape(shape)


# For each operator: what to keep of a call, and the gradients of its arguments.
BACKWARD: dict[str, tuple[Callable[..., None], Callable[..., Any]]] = {
    "nearest_code": (_nearest_code_setup, _nearest_code_backward),
    "nearest_codes": (_nearest_codes_setup, _nearest_codes_backward),
    "quantize_vectors": (_quantize_vectors_setup, _quantize_vectors_backward),
    "code_statistics": (_code_statistics_setup, _code_statistics_backward),
    "beam_codes": (_beam_codes_setup, _beam_codes_backward),
}
