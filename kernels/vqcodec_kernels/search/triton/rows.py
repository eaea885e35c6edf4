# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""Rows made ready for the tensor cores: centred, scaled, rounded to float16, the loss measured.

Rows of up to 128 columns are rounded on the way in and stay in registers. Wider ones would not
fit there as float32, so a small kernel rounds them beforehand, a bounded number at a time.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from vqcodec_kernels.search.triton.codebook import STATS, PreparedCodebook, power_of_two_scale
from vqcodec_kernels.search.triton.tiles import Widths

__all__ = ["RoundedRows", "load_rows", "round_rows", "take_rows", "to_half"]


class RoundedRows(NamedTuple):
    """Rows rounded beforehand: halves (B, N, width), norms (2, B, N) = ||x||^2 and ||dx||^2."""

    halves: Tensor
    norms: Tensor


@triton.jit
def load_rows(base_ptr, rows, live, D: tl.constexpr, START: tl.constexpr, WIDTH: tl.constexpr):
    """Columns START .. START + WIDTH of some rows of a (N, D) matrix as float32, 0 outside it."""
    columns = START + tl.arange(0, WIDTH)
    mask = live[:, None] & (columns < D)[None, :]
    found = tl.load(base_ptr + rows[:, None] * D + columns[None, :], mask=mask, other=0.0)
    return found.to(tl.float32)


@triton.jit
def to_half(values, means_ptr, scale, D, START, WIDTH: tl.constexpr):
    """Centre, scale and round rows; also ||x||^2 of the scaled row and ||x - half||^2."""
    columns = START + tl.arange(0, WIDTH)
    inside = columns < D
    means = tl.load(means_ptr + columns, mask=inside, other=0.0)
    scaled = tl.where(inside[None, :], (values - means[None, :]) * scale, 0.0)
    # A row too large for float16 is cut to its range: it stays finite, and what the cut lost is
    # measured like any other rounding.
    half = tl.clamp(scaled, -65504.0, 65504.0).to(tl.float16)
    lost = scaled - half.to(tl.float32)
    return half, tl.sum(scaled * scaled, axis=1), tl.sum(lost * lost, axis=1)


@triton.jit(do_not_specialize=["N", "count"])
def _round_rows_kernel(
    x_ptr,
    means_ptr,
    stats_ptr,
    halves_ptr,
    norms_ptr,
    N,
    count,
    D: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_D: tl.constexpr,
    SLOTS: tl.constexpr,
):
    """Round the rows [0, count) of each batch of x (B, N, D)."""
    batch = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    live = rows < count
    scale = power_of_two_scale(tl.load(stats_ptr + batch * SLOTS).to(tl.float32, bitcast=True))
    x_squared = tl.zeros((BLOCK_M,), tl.float32)
    lost_squared = tl.zeros((BLOCK_M,), tl.float32)
    for start in range(0, WIDTH, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        mask = live[:, None] & (columns < D)[None, :]
        source = x_ptr + (batch * N + rows[:, None]) * D + columns[None, :]
        values = tl.load(source, mask=mask, other=0.0).to(tl.float32)
        half, more, lost = to_half(values, means_ptr + batch * D, scale, D, start, BLOCK_D)
        x_squared += more
        lost_squared += lost
        target = halves_ptr + (batch * count + rows[:, None]) * WIDTH + columns[None, :]
        tl.store(target, half, mask=live[:, None])
    target = norms_ptr + batch * count + rows
    tl.store(target, x_squared, mask=live)
    plane = tl.num_programs(1).to(tl.int64) * count
    tl.store(target + plane, lost_squared, mask=live)


def round_rows(x: Tensor, part: slice, prepared: PreparedCodebook, widths: Widths) -> RoundedRows:
    """Round the rows `part` of each batch of x (B, N, D); nothing where they fit on chip."""
    batches, total, dim = x.shape
    count = part.stop - part.start
    shape = (batches, count, widths.total) if widths.rounded_before else (0, 0, 0)
    halves = torch.empty(shape, dtype=torch.float16, device=x.device)
    norms = torch.empty((2, *shape[:2]), dtype=torch.float32, device=x.device)
    if widths.rounded_before:
        _round_rows_kernel[(triton.cdiv(count, 32), batches)](
            x[:, part.start :],
            prepared.means,
            prepared.stats,
            halves,
            norms,
            total,
            count,
            D=dim,
            WIDTH=widths.total,
            BLOCK_M=32,
            BLOCK_D=min(64, widths.total & -widths.total),
            SLOTS=STATS,
        )
    return RoundedRows(halves, norms)


@triton.jit
def take_rows(
    x_ptr,
    row_halves_ptr,
    means_ptr,
    scale,
    rows,
    live,
    D: tl.constexpr,
    D1: tl.constexpr,
    D2: tl.constexpr,
    ROUNDED: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """Rows as two float16 blocks (BLOCK_M, D1), (BLOCK_M, D2) and their norms.

    ROUNDED: from `round_rows`, norms left at 0. CHUNK: rows stay in memory, read by the tile.
    """
    x_squared = tl.zeros(rows.shape, tl.float32)
    lost_squared = x_squared
    left = x_squared
    right = x_squared
    if CHUNK == 0:
        if ROUNDED:
            start = row_halves_ptr + rows[:, None] * (D1 + D2)
            left = tl.load(start + tl.arange(0, D1)[None, :], mask=live[:, None], other=0.0)
            if D2 > 0:
                columns = D1 + tl.arange(0, D2)
                right = tl.load(start + columns[None, :], mask=live[:, None], other=0.0)
        else:
            values = load_rows(x_ptr, rows, live, D, 0, D1)
            left, x_squared, lost_squared = to_half(values, means_ptr, scale, D, 0, D1)
            if D2 > 0:
                values = load_rows(x_ptr, rows, live, D, D1, D2)
                right, more, lost = to_half(values, means_ptr, scale, D, D1, D2)
                x_squared += more
                lost_squared += lost
    return left, right, x_squared, lost_squared
