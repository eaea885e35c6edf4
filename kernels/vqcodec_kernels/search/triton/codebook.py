# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""A codebook made ready for the tensor cores.

The filter multiplies half-precision numbers, so codes and rows are first moved near the origin
(the mean of a sample of the codes is taken off both, which changes no distance) and scaled by a
power of two, which rounds nothing. Of each code remain `-2 c` rounded to float16 and
`||c||^2 + bias` as float32; what the rounding to float16 lost is measured, not assumed, because
the certificate of the filter needs a bound that holds for every input.
"""

from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from vqcodec_kernels.search.triton.tiles import Widths

__all__ = [
    "Codebooks",
    "PreparedCodebook",
    "pick_centre",
    "pick_prepared",
    "prepare_codebook",
    "round_kernel",
]

# One row of `stats` per codebook: float32 bit patterns of numbers >= 0, so that an integer
# maximum is a maximum of the numbers. Slots: 0 largest |c|; then, of the scaled codes,
# 1 largest ||c||^2, 2 largest ||c - float16(c)||^2, 3 largest |q|, 4 largest -bias.
STATS = tl.constexpr(8)

_SAMPLE = tl.constexpr(64)
_CODES_PER_PROGRAM = 32


class Codebooks(NamedTuple):
    """Codebooks as they are given: vectors (B, K, D), bias (B, K) or None."""

    vectors: Tensor
    bias: Tensor | None

    def part(self, batches: slice) -> "Codebooks":
        """Those of some batches."""
        return Codebooks(self.vectors[batches], None if self.bias is None else self.bias[batches])


class PreparedCodebook(NamedTuple):
    """What the filter reads: halves (B, rows, width), offsets (B, rows), means (B, D), stats."""

    halves: Tensor
    offsets: Tensor
    means: Tensor
    stats: Tensor


class Centre(NamedTuple):
    """What rows lose, and what they are multiplied by, before they meet a prepared codebook."""

    means: Any
    scale: Any


@triton.jit
def _scale_of(stats_ptr):
    """Return 2^e such that the largest |c| times 2^e lies in [8, 16), if it is normal; 1 for 0."""
    bits = tl.load(stats_ptr)
    exponent = 3 - ((bits >> 23) - 127)
    exponent = tl.where(bits == 0, 0, tl.minimum(tl.maximum(exponent, -100), 100))
    return ((exponent + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def pick_prepared(prepared, number, padded, widths: tl.constexpr):
    """One of several prepared codebooks of `padded` rows."""
    return PreparedCodebook(
        prepared.halves + number * padded * widths.total,
        prepared.offsets + number * padded,
        prepared.means + number * widths.dim,
        prepared.stats + number * STATS,
    )


@triton.jit
def pick_centre(prepared, number, widths: tl.constexpr):
    """The centre of one of several prepared codebooks."""
    scale = _scale_of(prepared.stats + number * STATS)
    return Centre(prepared.means + number * widths.dim, scale)


@triton.jit
def _measure_kernel(vectors_ptr, prepared, K, D, CODES: tl.constexpr, BLOCK_D: tl.constexpr):
    """Take the mean of a sample of the codes, and the largest magnitude around it."""
    batch = tl.program_id(1).to(tl.int64)
    book = vectors_ptr + batch * K * D
    codes = tl.program_id(0).to(tl.int64) * CODES + tl.arange(0, CODES)
    sample = tl.arange(0, _SAMPLE).to(tl.int64) * K // _SAMPLE
    largest = tl.zeros((CODES,), tl.float32)
    for start in range(0, D, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        inside = columns < D
        picked = tl.load(
            book + sample[:, None] * D + columns[None, :], mask=inside[None, :], other=0.0
        )
        mean = tl.sum(picked.to(tl.float32), axis=0) / _SAMPLE
        target = prepared.means + batch * D + columns
        tl.store(target, mean, mask=inside & (tl.program_id(0) == 0))
        mask = (codes < K)[:, None] & inside[None, :]
        values = tl.load(book + codes[:, None] * D + columns[None, :], mask=mask, other=0.0)
        centred = tl.where(mask, tl.abs(values.to(tl.float32) - mean[None, :]), 0.0)
        largest = tl.maximum(largest, tl.max(centred, axis=1))
    found = tl.max(largest, axis=0)
    tl.atomic_max(prepared.stats + batch * STATS, found.to(tl.int32, bitcast=True))


@triton.jit
def _store_stat(stats_ptr, value):
    tl.atomic_max(stats_ptr, tl.max(value.to(tl.float32), axis=0).to(tl.int32, bitcast=True))


@triton.jit
def round_kernel(
    codebooks,
    prepared,
    K,
    rows,
    widths: tl.constexpr,
    CODES: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """Write -2 c as float16 and ||c||^2 + bias as float32; rows past K can never be nearest."""
    batch = tl.program_id(1).to(tl.int64)
    codes = tl.program_id(0).to(tl.int64) * CODES + tl.arange(0, CODES)
    live = codes < K
    vectors = codebooks.vectors + batch * K * widths.dim
    book = pick_prepared(prepared, batch, rows, widths)
    scale = _scale_of(book.stats).to(tl.float64)
    norm = tl.zeros((CODES,), tl.float64)
    lost = tl.zeros((CODES,), tl.float64)
    for start in range(0, widths.total, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        inside = columns < widths.dim
        mask = live[:, None] & inside[None, :]
        source = vectors + codes[:, None] * widths.dim + columns[None, :]
        mean = tl.load(book.means + columns, mask=inside, other=0.0)
        values = tl.load(source, mask=mask, other=0.0).to(tl.float64)
        values = tl.where(mask, (values - mean[None, :].to(tl.float64)) * scale, 0.0)
        half = (-2.0 * values).to(tl.float32).to(tl.float16)
        error = values + 0.5 * half.to(tl.float64)
        norm += tl.sum(values * values, axis=1)
        lost += tl.sum(error * error, axis=1)
        target = book.halves + codes[:, None] * widths.total + columns[None, :]
        tl.store(target, half, mask=(codes < rows)[:, None])
    offset = norm
    if codebooks.bias is not None:
        bias = tl.load(codebooks.bias + batch * K + codes, mask=live, other=0.0).to(tl.float64)
        bias = bias * scale * scale
        offset += bias
        _store_stat(book.stats + 4, tl.maximum(-bias, 0.0))
    _store_stat(book.stats + 1, norm)
    _store_stat(book.stats + 2, lost)
    _store_stat(book.stats + 3, tl.abs(offset))
    padded = tl.where(live, offset.to(tl.float32), float("inf"))
    tl.store(book.offsets + codes, padded, mask=codes < rows)


def prepare_codebook(codebooks: Codebooks, widths: Widths, *, multiple: int) -> PreparedCodebook:
    """Centre, scale and round codebooks, their rows padded to a multiple of `multiple`."""
    batches, size, dim = codebooks.vectors.shape
    rows = -(-size // multiple) * multiple
    device = codebooks.vectors.device
    prepared = PreparedCodebook(
        torch.empty((batches, rows, widths.total), dtype=torch.float16, device=device),
        torch.empty((batches, rows), dtype=torch.float32, device=device),
        torch.empty((batches, dim), dtype=torch.float32, device=device),
        torch.zeros((batches, STATS.value), dtype=torch.int32, device=device),
    )
    _measure_kernel[(triton.cdiv(size, _CODES_PER_PROGRAM), batches)](
        codebooks.vectors,
        prepared,
        size,
        dim,
        CODES=_CODES_PER_PROGRAM,
        BLOCK_D=min(64, triton.next_power_of_2(dim)),
    )
    round_kernel[(triton.cdiv(rows, _CODES_PER_PROGRAM), batches)](
        codebooks,
        prepared,
        size,
        rows,
        widths=widths,
        CODES=_CODES_PER_PROGRAM,
        BLOCK_D=min(64, widths.total & -widths.total),
    )
    return prepared
