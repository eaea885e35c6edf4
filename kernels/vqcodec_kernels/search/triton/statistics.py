# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""code_statistics on CUDA: a stable sort by code, then sums over its segments in a fixed order.

No float is added atomically. A segment is cut into pieces of 256 rows, so that one code with
most of the rows does not leave the device idle; the pieces of a code are added in order.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from vqcodec_kernels.search.triton.launch import on_device, readable

__all__ = ["add_pieces_kernel", "code_statistics", "sum_pieces_kernel"]

_PIECE = 256
_COLUMNS = 64


@triton.jit
def sum_pieces_kernel(
    x_ptr,
    order_ptr,
    owners_ptr,
    starts_ptr,
    first_pieces_ptr,
    partial_ptr,
    groups,
    D,
    PIECE: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """Sum one piece of one segment in float64: partial (pieces, D)."""
    piece = tl.program_id(0).to(tl.int64)
    owner = tl.load(owners_ptr + piece)
    if owner < groups:
        columns = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
        inside = (columns < D)[None, :]
        start = tl.load(starts_ptr + owner)
        start += (piece - tl.load(first_pieces_ptr + owner)) * PIECE
        stop = tl.minimum(start + PIECE, tl.load(starts_ptr + owner + 1))
        total = tl.zeros((BLOCK_D,), tl.float64)
        for first in range(0, PIECE, ROWS):
            places = start + first + tl.arange(0, ROWS)
            live = places < stop
            rows = tl.load(order_ptr + places, mask=live, other=0)
            mask = live[:, None] & inside
            values = tl.load(x_ptr + rows[:, None] * D + columns[None, :], mask=mask, other=0.0)
            total += tl.sum(values.to(tl.float64), axis=0)
        tl.store(partial_ptr + piece * D + columns, total, mask=columns < D)


@triton.jit
def add_pieces_kernel(partial_ptr, first_pieces_ptr, sums_ptr, D, BLOCK_D: tl.constexpr):
    """Add the pieces of one code in order, and round once to float32."""
    group = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
    total = tl.zeros((BLOCK_D,), tl.float64)
    start = tl.load(first_pieces_ptr + group)
    stop = tl.load(first_pieces_ptr + group + 1)
    for piece in range(start, stop):
        total += tl.load(partial_ptr + piece * D + columns, mask=columns < D, other=0.0)
    tl.store(sums_ptr + group * D + columns, total.to(tl.float32), mask=columns < D)


def code_statistics(x: Tensor, codes: Tensor, codebook_size: int) -> tuple[Tensor, Tensor]:
    """Count and add up the vectors of every code; see `ops.code_statistics`."""
    with on_device(x):
        return _sum_segments(readable(x), codes, codebook_size)


def _sum_segments(x: Tensor, codes: Tensor, codebook_size: int) -> tuple[Tensor, Tensor]:
    """Counts (..., K) int64 and sums (..., K, D) float32 of x (..., N, D), codes (..., N)."""
    batch, dim = x.shape[:-2], x.shape[-1]
    groups = batch.numel() * codebook_size
    shift = torch.arange(batch.numel(), dtype=torch.int64, device=x.device) * codebook_size
    keys = (codes.reshape(batch.numel(), codes.shape[-1]) + shift[:, None]).reshape(-1)
    keys, order = keys.sort(stable=True)
    edges = torch.arange(groups + 1, dtype=torch.int64, device=x.device)
    starts = torch.searchsorted(keys, edges)
    counts = starts.diff()
    sums = torch.zeros((groups, dim), dtype=torch.float32, device=x.device)
    if len(keys):
        pieces = (counts + _PIECE - 1) // _PIECE
        first_pieces = torch.cat([pieces.new_zeros(1), pieces.cumsum(0)])
        most = min(len(keys), groups + len(keys) // _PIECE)
        numbers = torch.arange(most, dtype=torch.int64, device=x.device)
        owners = torch.searchsorted(first_pieces, numbers, right=True) - 1
        partial = torch.empty((most, dim), dtype=torch.float64, device=x.device)
        blocks = triton.cdiv(dim, _COLUMNS)
        sum_pieces_kernel[(most, blocks)](
            x.contiguous(),
            order,
            owners,
            starts,
            first_pieces,
            partial,
            groups,
            dim,
            PIECE=_PIECE,
            ROWS=16,
            BLOCK_D=_COLUMNS,
        )
        add_pieces_kernel[(groups, blocks)](partial, first_pieces, sums, dim, BLOCK_D=_COLUMNS)
    return counts.reshape(*batch, codebook_size), sums.reshape(*batch, codebook_size, dim)
