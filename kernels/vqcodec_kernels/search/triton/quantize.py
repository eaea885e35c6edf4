# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""quantize_vectors on CUDA: the search, then gather, error and histogram in one pass."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from vqcodec_kernels.search.reference import QuantizedVectors
from vqcodec_kernels.search.triton.launch import as_books, batch_parts, on_device
from vqcodec_kernels.search.triton.nearest import nearest_code

__all__ = ["gather_kernel", "quantize_vectors"]

_ROWS = 32
_COLUMNS = 64


@triton.jit(do_not_specialize=["N", "K"])
def gather_kernel(
    x_ptr,
    codebook_ptr,
    codes_ptr,
    values_ptr,
    errors_ptr,
    counts_ptr,
    N,
    K,
    D,
    BLOCK_M: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """Values and squared errors of rows whose codes are known, and the uses of each code."""
    batch = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    live = rows < N
    codes = tl.load(codes_ptr + batch * N + rows, mask=live, other=0)
    error = tl.zeros((BLOCK_M,), tl.float64)
    for start in range(0, D, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)[None, :]
        mask = live[:, None] & (columns < D)
        place = (batch * N + rows[:, None]) * D + columns
        source = (batch * K + codes[:, None]) * D + columns
        value = tl.load(codebook_ptr + source, mask=mask, other=0.0)
        tl.store(values_ptr + place, value, mask=mask)
        difference = tl.load(x_ptr + place, mask=mask, other=0.0).to(tl.float64)
        difference -= value.to(tl.float64)
        error += tl.sum(difference * difference, axis=1)
    tl.store(errors_ptr + batch * N + rows, error.to(tl.float32), mask=live)
    # Integer additions commute, so the counts do not depend on the order of the programs.
    tl.atomic_add(counts_ptr + batch * K + codes, live.to(tl.int64), mask=live)


def quantize_vectors(x: Tensor, codebook: Tensor, bias: Tensor | None = None) -> QuantizedVectors:
    """Find, gather, measure and count in one call; see `ops.quantize_vectors`."""
    codes = nearest_code(x, codebook, bias)
    assert isinstance(codes, Tensor)
    rows, codebooks = as_books(x, codebook, None)
    books = codebooks.vectors
    values = torch.empty(rows.shape, dtype=books.dtype, device=x.device)
    errors = torch.empty(rows.shape[:2], dtype=torch.float32, device=x.device)
    counts = torch.zeros(codebook.shape[:-1], dtype=torch.int64, device=x.device)
    found, uses = codes.reshape(rows.shape[:2]), counts.reshape(books.shape[:2])
    for part in batch_parts(len(rows)) if rows.numel() else []:
        with on_device(x):
            gather_kernel[(triton.cdiv(rows.shape[1], _ROWS), part.stop - part.start)](
                rows[part],
                books[part],
                found[part],
                values[part],
                errors[part],
                uses[part],
                rows.shape[1],
                books.shape[1],
                rows.shape[2],
                BLOCK_M=_ROWS,
                BLOCK_D=_COLUMNS,
            )
    values = values.reshape(x.shape).to(codebook.dtype)
    return QuantizedVectors(codes, values, errors.reshape(x.shape[:-1]), counts)
