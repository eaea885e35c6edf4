# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""Rows made ready for the tensor cores: centred, scaled, rounded to float16, the loss measured.

Rows of up to 128 columns are rounded on the way in and stay in registers. Wider ones would not
fit there as float32, so a small kernel rounds them beforehand, a bounded number at a time.
"""

from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from vqcodec_kernels.search.triton.codebook import PreparedCodebook, pick_centre
from vqcodec_kernels.search.triton.tiles import Widths

__all__ = ["Operands", "RoundedRows", "load_blocks", "round_blocks", "round_rows", "take_rows"]


class RoundedRows(NamedTuple):
    """Rows rounded beforehand: halves (B, N, width), norms (2, B, N) = ||x||^2 and ||dx||^2."""

    halves: Tensor
    norms: Tensor


class Blocks(NamedTuple):
    """Rows in registers, padded as `Widths` says: (rows, first) and, if there is a second, it."""

    left: Any
    right: Any


class Operands(NamedTuple):
    """Rounded rows as a product reads them: float16 `Blocks`, and which of the rows there are.

    Of rows that are read in chunks `left` holds the pointers, (rows,).
    """

    left: Any
    right: Any
    live: Any


@triton.jit
def _load_columns(base_ptr, rows, live, D: tl.constexpr, START: tl.constexpr, WIDTH: tl.constexpr):
    columns = START + tl.arange(0, WIDTH)
    mask = live[:, None] & (columns < D)[None, :]
    found = tl.load(base_ptr + rows[:, None] * D + columns[None, :], mask=mask, other=0.0)
    return found.to(tl.float32)


@triton.jit
def load_blocks(base_ptr, rows, live, widths: tl.constexpr):
    """Some rows of a (N, D) matrix as float32, 0 outside it."""
    left = _load_columns(base_ptr, rows, live, widths.dim, 0, widths.first)
    right = left
    if widths.second > 0:
        right = _load_columns(base_ptr, rows, live, widths.dim, widths.first, widths.second)
    return Blocks(left, right)


@triton.jit
def _to_half(values, centre, D, START, WIDTH: tl.constexpr):
    """Centre, scale and round rows; also ||x||^2 of the scaled row and ||x - half||^2."""
    columns = START + tl.arange(0, WIDTH)
    inside = columns < D
    means = tl.load(centre.means + columns, mask=inside, other=0.0)
    scaled = tl.where(inside[None, :], (values - means[None, :]) * centre.scale, 0.0)
    # A row too large for float16 is cut to its range: it stays finite, and what the cut lost is
    # measured like any other rounding.
    half = tl.clamp(scaled, -65504.0, 65504.0).to(tl.float16)
    lost = scaled - half.to(tl.float32)
    return half, tl.sum(scaled * scaled, axis=1), tl.sum(lost * lost, axis=1)


@triton.jit
def round_blocks(blocks, live, centre, widths: tl.constexpr):
    """Operands for a codebook of this centre, and ||x||^2 and ||dx||^2 of each row."""
    left, x_squared, lost_squared = _to_half(blocks.left, centre, widths.dim, 0, widths.first)
    right = left
    if widths.second > 0:
        right, more, lost = _to_half(blocks.right, centre, widths.dim, widths.first, widths.second)
        x_squared += more
        lost_squared += lost
    return Operands(left, right, live), x_squared, lost_squared


@triton.jit(do_not_specialize=["N", "count"])
def _round_rows_kernel(
    x_ptr,
    prepared,
    rounded,
    N,
    count,
    widths: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """Round the rows [0, count) of each batch of x (B, N, D)."""
    batch = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    live = rows < count
    centre = pick_centre(prepared, batch, widths)
    x_squared = tl.zeros((BLOCK_M,), tl.float32)
    lost_squared = tl.zeros((BLOCK_M,), tl.float32)
    for start in range(0, widths.total, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        mask = live[:, None] & (columns < widths.dim)[None, :]
        source = x_ptr + (batch * N + rows[:, None]) * widths.dim + columns[None, :]
        values = tl.load(source, mask=mask, other=0.0).to(tl.float32)
        half, more, lost = _to_half(values, centre, widths.dim, start, BLOCK_D)
        x_squared += more
        lost_squared += lost
        target = rounded.halves + (batch * count + rows[:, None]) * widths.total
        tl.store(target + columns[None, :], half, mask=live[:, None])
    target = rounded.norms + batch * count + rows
    tl.store(target, x_squared, mask=live)
    plane = tl.num_programs(1).to(tl.int64) * count
    tl.store(target + plane, lost_squared, mask=live)


def round_rows(
    x: Tensor, part: slice, prepared: PreparedCodebook, widths: Widths
) -> RoundedRows | None:
    """Round the rows `part` of each batch of x (B, N, D); None where they fit on chip."""
    if not widths.rounded_before:
        return None
    batches, total, _ = x.shape
    count = part.stop - part.start
    halves = torch.empty((batches, count, widths.total), dtype=torch.float16, device=x.device)
    norms = torch.empty((2, batches, count), dtype=torch.float32, device=x.device)
    rounded = RoundedRows(halves, norms)
    _round_rows_kernel[(triton.cdiv(count, 32), batches)](
        x[:, part.start :],
        prepared,
        rounded,
        total,
        count,
        widths=widths,
        BLOCK_M=32,
        BLOCK_D=min(64, widths.total & -widths.total),
    )
    return rounded


@triton.jit
def take_rows(base_ptr, rounded, centre, batch, rows, live, count, widths: tl.constexpr):
    """Operands of some rows of one batch, and ||x||^2 and ||dx||^2 of each.

    base: the batch's rows as they are given. rounded: None, or `RoundedRows` of all batches.
    """
    if rounded is None:
        blocks = load_blocks(base_ptr, rows, live, widths)
        operands, x_squared, lost_squared = round_blocks(blocks, live, centre, widths)
    else:
        pointers = rounded.halves + batch * count * widths.total + rows * widths.total
        operands = Operands(pointers, pointers, live)
        if widths.chunk == 0:
            operands = _load_halves(pointers, live, widths)
        norms = rounded.norms + batch * count + rows
        x_squared = tl.load(norms, mask=live, other=0.0)
        plane = tl.num_programs(1).to(tl.int64) * count
        lost_squared = tl.load(norms + plane, mask=live, other=0.0)
    return operands, x_squared, lost_squared


@triton.jit
def _load_halves(pointers, live, widths: tl.constexpr):
    start = pointers[:, None]
    mask = live[:, None]
    left = tl.load(start + tl.arange(0, widths.first)[None, :], mask=mask, other=0.0)
    right = left
    if widths.second > 0:
        columns = widths.first + tl.arange(0, widths.second)
        right = tl.load(start + columns[None, :], mask=mask, other=0.0)
    return Operands(left, right, live)
