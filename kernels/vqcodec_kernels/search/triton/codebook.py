# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""A codebook made ready for the tensor cores.

The filter multiplies half-precision numbers, so codes and rows are first moved near the origin
(the mean of a sample of the codes is taken off both, which changes no distance) and scaled by a
power of two, which rounds nothing. Of each code remain `-2 c` rounded to float16 and
`||c||^2 + bias` as float32; what the rounding to float16 lost is measured, not assumed, because
the certificate of the filter needs a bound that holds for every input.

Some codes the filter does not see, lest they spoil its bound for the others or make ties of every
row: copies of earlier codes, codes that a bias of infinity forbids, and the few that are far
beyond the rest. Far ones have a `floor` instead, which says of any row whether one may be its
nearest; see `certificate`.
"""

from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from vqcodec_kernels.search.triton.centre import STATS, sample_kernel
from vqcodec_kernels.search.triton.copies import find_copies, hash_values, no_twins, note_places
from vqcodec_kernels.search.triton.tiles import Widths

__all__ = [
    "Codebooks",
    "PreparedCodebook",
    "pick_centre",
    "pick_prepared",
    "prepare_codebook",
    "round_kernel",
]

_HIGHEST_FLOOR = tl.constexpr(1e37)
_CODES_PER_PROGRAM = 32


class Codebooks(NamedTuple):
    """Codebooks as they are given: vectors (B, K, D), bias (B, K) or None."""

    vectors: Tensor
    bias: Tensor | None

    def part(self, batches: slice) -> "Codebooks":
        """Those of some batches."""
        return Codebooks(self.vectors[batches], None if self.bias is None else self.bias[batches])


class PreparedCodebook(NamedTuple):
    """What the filter reads: halves (B, rows, width), offsets (B, 2, rows), means (B, D), stats.

    offsets: ||c||^2 + bias, infinite where the filter is not to see the code; and floors: of a far
    code a number, NaN of one that is never to be returned, infinite of all others.
    """

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
    """Return 2^e such that the largest |c| times 2^e lies in [1/32, 1/16), if normal; 1 for 0.

    So far from the end of float16 that rows may be 2^20 times as large as the codes, as they are
    where a codebook has collapsed; what is lost at the other end is 2^-20 of the largest.
    """
    bits = tl.load(stats_ptr)
    exponent = -5 - ((bits >> 23) - 127)
    exponent = tl.where(bits == 0, 0, tl.minimum(tl.maximum(exponent, -100), 100))
    return ((exponent + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def pick_prepared(prepared, number, padded, widths: tl.constexpr):
    """One of several prepared codebooks of `padded` rows."""
    return PreparedCodebook(
        prepared.halves + number * padded * widths.total,
        prepared.offsets + number * padded * 2,
        prepared.means + number * widths.dim,
        prepared.stats + number * STATS,
    )


@triton.jit
def pick_centre(prepared, number, widths: tl.constexpr):
    """The centre of one of several prepared codebooks."""
    scale = _scale_of(prepared.stats + number * STATS)
    return Centre(prepared.means + number * widths.dim, scale)


@triton.jit
def _load_float(pointer):
    return tl.load(pointer).to(tl.float32, bitcast=True)


@triton.jit
def _measure_kernel(
    codebooks, prepared, twins, K, D, PLACES, CODES: tl.constexpr, BLOCK_D: tl.constexpr
):
    """Find the largest magnitude that is not far, and each code's place in the table of copies."""
    batch = tl.program_id(1).to(tl.int64)
    codes = tl.program_id(0).to(tl.int64) * CODES + tl.arange(0, CODES)
    live = codes < K
    stats = prepared.stats + batch * STATS
    largest = tl.zeros((CODES,), tl.float32)
    hashed = tl.zeros((CODES,), tl.int64)
    for start in range(0, D, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        inside = columns < D
        mask = live[:, None] & inside[None, :]
        source = codebooks.vectors + (batch * K + codes[:, None]) * D + columns[None, :]
        values = tl.load(source, mask=mask, other=0.0).to(tl.float32)
        mean = tl.load(prepared.means + batch * D + columns, mask=inside, other=0.0)
        centred = tl.where(mask, tl.abs(values - mean[None, :]), 0.0)
        largest = tl.maximum(largest, tl.max(centred, axis=1))
        hashed = hash_values(hashed, values, columns)
    found = tl.max(tl.where(largest > _load_float(stats + 5), 0.0, largest), axis=0)
    tl.atomic_max(stats, found.to(tl.int32, bitcast=True))
    note_places(codebooks, twins, batch, codes, hashed, K, PLACES)


@triton.jit
def _store_stat(stats_ptr, value, seen):
    largest = tl.max(tl.where(seen, value, 0.0).to(tl.float32), axis=0)
    tl.atomic_max(stats_ptr, largest.to(tl.int32, bitcast=True))


@triton.jit
def round_kernel(
    codebooks,
    prepared,
    twins,
    K,
    rows,
    PLACES,
    widths: tl.constexpr,
    CODES: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """Write -2 c as float16, ||c||^2 + bias and floors; rows past K can never be nearest."""
    batch = tl.program_id(1).to(tl.int64)
    codes = tl.program_id(0).to(tl.int64) * CODES + tl.arange(0, CODES)
    live = codes < K
    vectors = codebooks.vectors + batch * K * widths.dim
    book = pick_prepared(prepared, batch, rows, widths)
    dropped = find_copies(codebooks, twins, batch, codes, K, widths.dim, PLACES, BLOCK_D)
    scale = _scale_of(book.stats).to(tl.float64)
    threshold = _load_float(book.stats + 5).to(tl.float64) * scale
    norm = tl.zeros((CODES,), tl.float64)
    lost = tl.zeros((CODES,), tl.float64)
    largest = tl.zeros((CODES,), tl.float64)
    for start in range(0, widths.total, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        inside = columns < widths.dim
        mask = live[:, None] & inside[None, :]
        source = vectors + codes[:, None] * widths.dim + columns[None, :]
        mean = tl.load(book.means + columns, mask=inside, other=0.0)
        values = tl.load(source, mask=mask, other=0.0).to(tl.float64)
        values = tl.where(mask, (values - mean[None, :].to(tl.float64)) * scale, 0.0)
        # Where the range of float16 ends, a code is far; what is written of it is not read.
        half = tl.clamp((-2.0 * values).to(tl.float32), -65504.0, 65504.0).to(tl.float16)
        error = values + 0.5 * half.to(tl.float64)
        norm += tl.sum(values * values, axis=1)
        lost += tl.sum(error * error, axis=1)
        largest = tl.maximum(largest, tl.max(tl.abs(values), axis=1))
        target = book.halves + codes[:, None] * widths.total + columns[None, :]
        tl.store(target, half, mask=(codes < rows)[:, None])
    bias = tl.zeros((CODES,), tl.float64)
    if codebooks.bias is not None:
        bias = tl.load(codebooks.bias + batch * K + codes, mask=live, other=0.0).to(tl.float64)
        bias = tl.where(dropped, 0.0, bias) * scale * scale
    # The threshold was taken of magnitudes that float32 rounded.
    far = live & (dropped == 0) & (largest > threshold * (1.0 + 2.0**-20))
    seen = live & (dropped == 0) & (far == 0)
    _store_stat(book.stats + 1, norm, seen)
    _store_stat(book.stats + 2, lost, seen)
    _store_stat(book.stats + 3, tl.abs(norm + bias), seen)
    _store_stat(book.stats + 4, tl.maximum(-bias, 0.0), seen)
    floor = tl.minimum(0.5 * norm + bias - 2.0**-20 * (norm + tl.abs(bias)), _HIGHEST_FLOOR)
    inverse = tl.where(floor > 2.0**-100, 1.000001 / tl.maximum(floor, 2.0**-100), 2.0**120)
    _store_stat(book.stats + 6, inverse, far)
    offsets = tl.where(seen, (norm + bias).to(tl.float32), float("inf"))
    tl.store(book.offsets + codes, offsets, mask=codes < rows)
    floors = tl.where(far, floor.to(tl.float32), tl.where(dropped, float("nan"), float("inf")))
    tl.store(book.offsets + rows + codes, floors, mask=codes < rows)


def prepare_codebook(codebooks: Codebooks, widths: Widths, *, multiple: int) -> PreparedCodebook:
    """Centre, scale and round codebooks, their rows padded to a multiple of `multiple`."""
    batches, size, dim = codebooks.vectors.shape
    rows = -(-size // multiple) * multiple
    device = codebooks.vectors.device
    prepared = PreparedCodebook(
        torch.empty((batches, rows, widths.total), dtype=torch.float16, device=device),
        torch.empty((batches, 2, rows), dtype=torch.float32, device=device),
        torch.empty((batches, dim), dtype=torch.float32, device=device),
        torch.zeros((batches, STATS.value), dtype=torch.int32, device=device),
    )
    places, twins = no_twins(batches, size, device)
    block = min(64, triton.next_power_of_2(dim))
    sample_kernel[(batches,)](codebooks.vectors, prepared, size, dim, BLOCK_D=block)
    _measure_kernel[(triton.cdiv(size, _CODES_PER_PROGRAM), batches)](
        codebooks,
        prepared,
        twins,
        size,
        dim,
        places,
        CODES=_CODES_PER_PROGRAM,
        BLOCK_D=block,
    )
    round_kernel[(triton.cdiv(rows, _CODES_PER_PROGRAM), batches)](
        codebooks,
        prepared,
        twins,
        size,
        rows,
        places,
        widths=widths,
        CODES=_CODES_PER_PROGRAM,
        BLOCK_D=min(64, widths.total & -widths.total),
    )
    return prepared
