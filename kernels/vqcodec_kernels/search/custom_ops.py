"""The operators as torch sees them: `torch.ops.vqcodec.*`, for compile, export and fake tensors.

Shapes and dtypes have been checked by `ops`; here the values are checked, the tensors made
contiguous with at most one leading axis, and the backend called.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vqcodec_kernels.errors import InvalidInputError
from vqcodec_kernels.search import fake, gradients
from vqcodec_kernels.search.backend import OPERATORS, find_operator
from vqcodec_kernels.search.checks import check_allowed, check_bias, check_finite

__all__ = ["OPERATORS"]


def _nearest_code(
    x: Tensor, codebook: Tensor, bias: Tensor | None, return_distance: bool, backend: str | None
) -> tuple[Tensor, Tensor]:
    codes, distance = fake.nearest_code(x, codebook, bias, return_distance, backend)
    if codes.numel() == 0:
        return codes, distance
    rows, books, biases = _search_arguments(x, codebook, bias, backend)
    operator = find_operator("nearest_code", backend, x.device)
    if not return_distance:
        return operator(rows, books, biases).reshape(codes.shape), distance
    found = operator(rows, books, biases, return_distance=True)
    return found[0].reshape(codes.shape), found[1].reshape(codes.shape)


def _nearest_code_fast(
    x: Tensor, codebook: Tensor, bias: Tensor | None, backend: str | None
) -> Tensor:
    codes = fake.nearest_code_fast(x, codebook, bias, backend)
    if codes.numel() == 0:
        return codes
    rows, books, biases = _search_arguments(x, codebook, bias, backend)
    operator = find_operator("nearest_code_fast", backend, x.device)
    found: Tensor = operator(rows, books, biases)
    return found.reshape(codes.shape)


def _nearest_codes(
    x: Tensor, codebook: Tensor, bias: Tensor | None, k: int, backend: str | None
) -> tuple[Tensor, Tensor]:
    codes, distances = fake.nearest_codes(x, codebook, bias, k, backend)
    if codes.numel() == 0:
        return codes, distances
    operator = find_operator("nearest_codes", backend, x.device)
    rows, books, biases = _search_arguments(x, codebook, bias, "torch")
    check_allowed(k, biases)
    found: tuple[Tensor, Tensor] = operator(rows, books, biases, k=k)
    return found[0].reshape(codes.shape), found[1].reshape(distances.shape)


def _residual_codes(
    x: Tensor, codebooks: Tensor, biases: Tensor | None, stages: int, backend: str | None
) -> Tensor:
    codes = fake.residual_codes(x, codebooks, biases, stages, backend)
    if codes.numel() == 0:
        return codes
    rows, books, offsets = _search_arguments(x, codebooks, biases, backend, batch_end=-3)
    operator = find_operator("residual_codes", backend, x.device)
    found: Tensor = operator(rows, books, offsets, stages)
    return found.reshape(codes.shape)


def _beam_codes(
    x: Tensor, codebooks: Tensor, biases: Tensor | None, beams: int, backend: str | None
) -> tuple[Tensor, Tensor]:
    codes, errors = fake.beam_codes(x, codebooks, biases, beams, backend)
    if codes.numel() == 0:
        return codes, errors
    x, codebooks = x.float(), codebooks.float()
    rows, books, offsets = _search_arguments(x, codebooks, biases, backend, batch_end=-3)
    operator = find_operator("beam_codes", backend, x.device)
    if books.dim() == 3:
        found = [operator(rows, books, offsets, beams=beams)]
    else:
        no_offsets = [None] * len(books)
        groups = zip(rows, books, no_offsets if offsets is None else offsets, strict=True)
        found = [operator(*group, beams=beams) for group in groups]
    return (
        torch.cat([codes for codes, _ in found]).reshape(codes.shape),
        torch.cat([errors for _, errors in found]).reshape(errors.shape),
    )


def _quantize_vectors(
    x: Tensor, codebook: Tensor, bias: Tensor | None, backend: str | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    values, squared_error, codes, counts = fake.quantize_vectors(x, codebook, bias, backend)
    if codes.numel() == 0:
        return values, squared_error, codes, counts.zero_()
    rows, books, biases = _search_arguments(x, codebook, bias, backend)
    operator = find_operator("quantize_vectors", backend, x.device)
    found = operator(rows, books, biases)
    return (
        found.values.reshape(values.shape),
        found.squared_error.reshape(squared_error.shape),
        found.codes.reshape(codes.shape),
        found.counts.reshape(counts.shape),
    )


def _code_statistics(
    x: Tensor, codes: Tensor, codebook_size: int, backend: str | None
) -> tuple[Tensor, Tensor]:
    counts, sums = fake.code_statistics(x, codes, codebook_size, backend)
    if codes.numel() == 0:
        return counts.zero_(), sums.zero_()
    _check_code_range(codes, codebook_size)
    check_finite("x", x)
    operator = find_operator("code_statistics", backend, x.device)
    rows, groups = _flatten(x, 2), _flatten(codes, 1)
    found = operator(rows, groups, codebook_size)
    return found[0].reshape(counts.shape), found[1].reshape(sums.shape)


def _search_arguments(
    x: Tensor, books: Tensor, bias: Tensor | None, backend: str | None, *, batch_end: int = -2
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Rows (N, D) or (G, N, D), books and biases to match; all contiguous, their values sound."""
    batch = len(books.shape[:batch_end])
    rows = _flatten(x, 2) if batch else x.reshape(-1, x.shape[-1]).contiguous()
    biases = None if bias is None else bias.expand(books.shape[:-1])
    if batch > 1:
        books = books.flatten(0, batch - 1)
        biases = None if biases is None else biases.flatten(0, batch - 1)
    book, offset = ("codebook", "bias") if batch_end == -2 else ("codebooks", "biases")
    # The C++ kernel finds bad values itself while it reads them.
    if backend != "native" and not (backend is None and x.device.type == "cpu"):
        check_finite("x", x)
        check_finite(book, books)
    if biases is not None:
        check_bias(offset, biases)
        biases = biases.contiguous()
    return rows, books.contiguous(), biases


def _flatten(values: Tensor, kept: int) -> Tensor:
    """The last `kept` axes, and every other in one leading axis if there is any."""
    if values.dim() <= kept + 1:
        return values.contiguous()
    return values.flatten(0, values.dim() - kept - 1).contiguous()


def _check_code_range(codes: Tensor, codebook_size: int) -> None:
    low, high = (bound.item() for bound in torch.aminmax(codes))
    if low < 0 or high >= codebook_size:
        bad = low if low < 0 else high
        raise InvalidInputError(f"codes must be in [0, {codebook_size}), got {bad}")


def _register(schema: str, operator: Callable[..., Any]) -> None:
    name = schema[: schema.index("(")]
    _LIBRARY.define(schema, tags=(torch.Tag.pt2_compliant_tag,))  # type: ignore[no-untyped-call]
    _LIBRARY.impl(name, operator, "CompositeExplicitAutograd")  # type: ignore[no-untyped-call]
    torch.library.register_fake(f"vqcodec::{name}", getattr(fake, name), lib=_LIBRARY)
    if name in gradients.BACKWARD:
        setup, backward = gradients.BACKWARD[name]
        torch.library.register_autograd(
            f"vqcodec::{name}", backward, setup_context=setup, lib=_LIBRARY
        )


# Kept alive with the module: the operators are gone when it is.
_LIBRARY = torch.library.Library("vqcodec", "FRAGMENT")  # type: ignore[no-untyped-call]

_register(
    "nearest_code(Tensor x, Tensor codebook, Tensor? bias, bool return_distance, str? backend)"
    " -> (Tensor, Tensor)",
    _nearest_code,
)
_register(
    "nearest_code_fast(Tensor x, Tensor codebook, Tensor? bias, str? backend) -> Tensor",
    _nearest_code_fast,
)
_register(
    "nearest_codes(Tensor x, Tensor codebook, Tensor? bias, SymInt k, str? backend)"
    " -> (Tensor, Tensor)",
    _nearest_codes,
)
_register(
    "residual_codes(Tensor x, Tensor codebooks, Tensor? biases, SymInt stages, str? backend)"
    " -> Tensor",
    _residual_codes,
)
_register(
    "beam_codes(Tensor x, Tensor codebooks, Tensor? biases, int beams, str? backend)"
    " -> (Tensor, Tensor)",
    _beam_codes,
)
_register(
    "quantize_vectors(Tensor x, Tensor codebook, Tensor? bias, str? backend)"
    " -> (Tensor, Tensor, Tensor, Tensor)",
    _quantize_vectors,
)
_register(
    "code_statistics(Tensor x, Tensor codes, SymInt codebook_size, str? backend)"
    " -> (Tensor, Tensor)",
    _code_statistics,
)
