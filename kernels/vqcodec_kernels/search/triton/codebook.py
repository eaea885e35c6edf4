# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""A codebook made ready for the tensor cores.

The filter multiplies half-precision numbers, so codes and rows are first moved near the origin
(the mean of a sample of the codes is taken off both, which changes no distance) and scaled by a
power of two, which rounds nothing. Of each code remain `-2 c` rounded to float16 and
`||c||^2 + bias` as float32; what the rounding to float16 lost is measured, not assumed, because
the certificate of the filter needs a bound that holds for every input.
"""

from dataclasses import dataclass

import torch
import triton
import triton.language as tl

__all__ = ["PreparedCodebook", "power_of_two_scale", "prepare_codebook", "round_kernel"]

# One row of `stats` per codebook: float32 bit patterns of numbers >= 0, so that an integer
# maximum is a maximum of the numbers. Slots: 0 largest |c|; then, of the scaled codes,
# 1 largest ||c||^2, 2 largest ||c - float16(c)||^2, 3 largest |q|, 4 largest -bias.
STATS = 8

_MEAN_SAMPLE = 64
_CODES_PER_PROGRAM = 32


@dataclass(frozen=True)
class PreparedCodebook:
    """What the filter reads: halves (B, rows, width), offsets (B, rows), means (B, D), stats."""

    halves: torch.Tensor
    offsets: torch.Tensor
    means: torch.Tensor
    stats: torch.Tensor


@triton.jit
def power_of_two_scale(largest):
    """Return 2^e such that `largest * 2^e` lies in [8, 16), for any normal float32; 1 for 0."""
    bits = largest.to(tl.int32, bitcast=True)
    exponent = 3 - ((bits >> 23) - 127)
    exponent = tl.where(bits == 0, 0, tl.minimum(tl.maximum(exponent, -100), 100))
    return ((exponent + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def _measure_kernel(
    codebook_ptr,
    means_ptr,
    stats_ptr,
    K,
    D,
    SAMPLE: tl.constexpr,
    CODES: tl.constexpr,
    BLOCK_D: tl.constexpr,
    SLOTS: tl.constexpr,
):
    """Take the mean of a sample of the codes, and the largest magnitude around it."""
    batch = tl.program_id(1).to(tl.int64)
    book = codebook_ptr + batch * K * D
    codes = tl.program_id(0).to(tl.int64) * CODES + tl.arange(0, CODES)
    sample = tl.arange(0, SAMPLE).to(tl.int64) * K // SAMPLE
    largest = tl.zeros((CODES,), tl.float32)
    for start in range(0, D, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        inside = columns < D
        picked = tl.load(
            book + sample[:, None] * D + columns[None, :], mask=inside[None, :], other=0.0
        )
        mean = tl.sum(picked.to(tl.float32), axis=0) / SAMPLE
        tl.store(means_ptr + batch * D + columns, mean, mask=inside & (tl.program_id(0) == 0))
        mask = (codes < K)[:, None] & inside[None, :]
        values = tl.load(book + codes[:, None] * D + columns[None, :], mask=mask, other=0.0)
        centred = tl.where(mask, tl.abs(values.to(tl.float32) - mean[None, :]), 0.0)
        largest = tl.maximum(largest, tl.max(centred, axis=1))
    found = tl.max(largest, axis=0)
    tl.atomic_max(stats_ptr + batch * SLOTS, found.to(tl.int32, bitcast=True))


@triton.jit
def _store_stat(stats_ptr, value):
    tl.atomic_max(stats_ptr, tl.max(value.to(tl.float32), axis=0).to(tl.int32, bitcast=True))


@triton.jit
def round_kernel(
    codebook_ptr,
    bias_ptr,
    means_ptr,
    stats_ptr,
    halves_ptr,
    offsets_ptr,
    K,
    D,
    rows,
    HAS_BIAS: tl.constexpr,
    CODES: tl.constexpr,
    BLOCK_D: tl.constexpr,
    WIDTH: tl.constexpr,
    SLOTS: tl.constexpr,
):
    """Write -2 c as float16 and ||c||^2 + bias as float32; rows past K can never be nearest."""
    batch = tl.program_id(1).to(tl.int64)
    codes = tl.program_id(0).to(tl.int64) * CODES + tl.arange(0, CODES)
    live = codes < K
    stats = stats_ptr + batch * SLOTS
    scale = power_of_two_scale(tl.load(stats).to(tl.float32, bitcast=True)).to(tl.float64)
    norm = tl.zeros((CODES,), tl.float64)
    lost = tl.zeros((CODES,), tl.float64)
    for start in range(0, WIDTH, BLOCK_D):
        columns = start + tl.arange(0, BLOCK_D)
        mask = live[:, None] & (columns < D)[None, :]
        source = codebook_ptr + (batch * K + codes[:, None]) * D + columns[None, :]
        mean = tl.load(means_ptr + batch * D + columns, mask=columns < D, other=0.0)
        values = tl.load(source, mask=mask, other=0.0).to(tl.float64)
        values = tl.where(mask, (values - mean[None, :].to(tl.float64)) * scale, 0.0)
        half = (-2.0 * values).to(tl.float32).to(tl.float16)
        error = values + 0.5 * half.to(tl.float64)
        norm += tl.sum(values * values, axis=1)
        lost += tl.sum(error * error, axis=1)
        target = halves_ptr + (batch * rows + codes[:, None]) * WIDTH + columns[None, :]
        tl.store(target, half, mask=(codes < rows)[:, None])
    offset = norm
    if HAS_BIAS:
        bias = tl.load(bias_ptr + batch * K + codes, mask=live, other=0.0).to(tl.float64)
        bias = bias * scale * scale
        offset += bias
        _store_stat(stats + 4, tl.maximum(-bias, 0.0))
    _store_stat(stats + 1, norm)
    _store_stat(stats + 2, lost)
    _store_stat(stats + 3, tl.abs(offset))
    padded = tl.where(live, offset.to(tl.float32), float("inf"))
    tl.store(offsets_ptr + batch * rows + codes, padded, mask=codes < rows)


def prepare_codebook(
    codebook: torch.Tensor, bias: torch.Tensor | None, *, width: int, multiple: int
) -> PreparedCodebook:
    """Centre, scale and round a codebook (B, K, D), its rows padded to a multiple of `multiple`.

    `width` >= D is the padded length of a code (a multiple of 16); bias is (B, K) or None.
    """
    batches, size, dim = codebook.shape
    rows = -(-size // multiple) * multiple
    device = codebook.device
    halves = torch.empty((batches, rows, width), dtype=torch.float16, device=device)
    offsets = torch.empty((batches, rows), dtype=torch.float32, device=device)
    means = torch.empty((batches, dim), dtype=torch.float32, device=device)
    stats = torch.zeros((batches, STATS), dtype=torch.int32, device=device)
    block = min(64, triton.next_power_of_2(dim))
    grid = (triton.cdiv(size, _CODES_PER_PROGRAM), batches)
    _measure_kernel[grid](
        codebook,
        means,
        stats,
        size,
        dim,
        SAMPLE=_MEAN_SAMPLE,
        CODES=_CODES_PER_PROGRAM,
        BLOCK_D=block,
        SLOTS=STATS,
    )
    grid = (triton.cdiv(rows, _CODES_PER_PROGRAM), batches)
    round_kernel[grid](
        codebook,
        codebook if bias is None else bias,
        means,
        stats,
        halves,
        offsets,
        size,
        dim,
        rows,
        HAS_BIAS=bias is not None,
        CODES=_CODES_PER_PROGRAM,
        BLOCK_D=min(64, width & -width),
        WIDTH=width,
        SLOTS=STATS,
    )
    return PreparedCodebook(halves, offsets, means, stats)
