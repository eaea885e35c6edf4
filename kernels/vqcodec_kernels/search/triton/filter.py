# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""First pass of the search: every distance, in half precision, on tensor cores.

Rows that the certificate cannot settle are appended to a list for the second pass.
"""

import triton
import triton.language as tl

from vqcodec_kernels.search.triton.certificate import conclude
from vqcodec_kernels.search.triton.codebook import power_of_two_scale
from vqcodec_kernels.search.triton.rows import take_rows
from vqcodec_kernels.search.triton.scan import scan_codes

__all__ = ["filter_kernel", "merge_kernel"]


@triton.jit(do_not_specialize=["N", "count", "tiles", "tiles_per_split"])
def filter_kernel(
    x_ptr,
    row_halves_ptr,
    norms_ptr,
    halves_ptr,
    offsets_ptr,
    means_ptr,
    stats_ptr,
    codes_ptr,
    list_ptr,
    limits_ptr,
    counters_ptr,
    partial_ptr,
    N,
    count,
    tiles,
    tiles_per_split,
    D: tl.constexpr,
    D1: tl.constexpr,
    D2: tl.constexpr,
    CHUNK: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    STAGES: tl.constexpr,
    GROUP: tl.constexpr,
    ADJACENT: tl.constexpr,
    SLOTS: tl.constexpr,
    SPLIT: tl.constexpr,
    ROUNDED: tl.constexpr,
    EXACT: tl.constexpr,
):
    """Search the rows [0, count) of each batch of x (B, N, D), whose pointer is at the first.

    SPLIT: program_id(2) takes a share of the tiles, and `merge_kernel` joins the shares through
    `partial` (5, splits, B, count): best, runner-up, ||x||^2, ||dx||^2, code bits.
    """
    batch = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    live = rows < count
    stats = stats_ptr + batch * SLOTS
    means = means_ptr + batch * D
    scale = power_of_two_scale(tl.load(stats).to(tl.float32, bitcast=True))
    rounded = row_halves_ptr + batch * count * (D1 + D2)
    left, right, x_squared, lost_squared = take_rows(
        x_ptr + batch * N * D, rounded, means, scale, rows, live, D, D1, D2, ROUNDED, CHUNK
    )
    if ROUNDED:
        norms = norms_ptr + batch * count + rows
        x_squared = tl.load(norms, mask=live, other=0.0)
        plane = tl.num_programs(1).to(tl.int64) * count
        lost_squared = tl.load(norms + plane, mask=live, other=0.0)
    first_tile = tl.program_id(2) * tiles_per_split
    last_tile = tl.minimum(first_tile + tiles_per_split, tiles)
    padded = tiles.to(tl.int64) * BLOCK_N
    best, code, second = scan_codes(
        left,
        right,
        rounded + rows * (D1 + D2),
        live,
        halves_ptr + batch * padded * (D1 + D2),
        offsets_ptr + batch * padded,
        first_tile,
        last_tile,
        D1,
        D2,
        CHUNK,
        BLOCK_M,
        BLOCK_N,
        STAGES,
        GROUP,
        ADJACENT,
    )
    if SPLIT:
        plane = tl.num_programs(2).to(tl.int64) * tl.num_programs(1) * count
        share = (tl.program_id(2).to(tl.int64) * tl.num_programs(1) + batch) * count
        target = partial_ptr + share + rows
        tl.store(target, best, mask=live)
        tl.store(target + plane, second, mask=live)
        tl.store(target + 2 * plane, x_squared, mask=live)
        tl.store(target + 3 * plane, lost_squared, mask=live)
        tl.store(target + 4 * plane, code.to(tl.float32, bitcast=True), mask=live)
    else:
        conclude(
            best,
            code,
            second,
            x_squared,
            lost_squared,
            stats,
            codes_ptr + batch * N,
            list_ptr + batch * count,
            limits_ptr + batch * count,
            counters_ptr + batch,
            rows,
            live,
            D,
            EXACT,
        )


@triton.jit(do_not_specialize=["N", "count", "splits"])
def merge_kernel(
    partial_ptr,
    stats_ptr,
    codes_ptr,
    list_ptr,
    limits_ptr,
    counters_ptr,
    N,
    count,
    splits,
    D: tl.constexpr,
    BLOCK_M: tl.constexpr,
    SLOTS: tl.constexpr,
    EXACT: tl.constexpr,
):
    """Join the shares of a search whose codes were split over programs; the lowest code at ties."""
    batch = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    live = rows < count
    step = tl.num_programs(1).to(tl.int64) * count
    plane = step * splits
    source = partial_ptr + batch * count + rows
    x_squared = tl.load(source + 2 * plane, mask=live, other=0.0)
    lost_squared = tl.load(source + 3 * plane, mask=live, other=0.0)
    best = tl.load(source, mask=live, other=0.0)
    second = tl.load(source + plane, mask=live, other=0.0)
    code = tl.load(source + 4 * plane, mask=live, other=0.0).to(tl.int32, bitcast=True)
    for share in range(1, splits):
        other = tl.load(source + share * step, mask=live, other=0.0)
        other_second = tl.load(source + plane + share * step, mask=live, other=0.0)
        other_code = tl.load(source + 4 * plane + share * step, mask=live, other=0.0)
        code = tl.where(other < best, other_code.to(tl.int32, bitcast=True), code)
        second = tl.minimum(tl.minimum(second, other_second), tl.maximum(best, other))
        best = tl.minimum(best, other)
    conclude(
        best,
        code,
        second,
        x_squared,
        lost_squared,
        stats_ptr + batch * SLOTS,
        codes_ptr + batch * N,
        list_ptr + batch * count,
        limits_ptr + batch * count,
        counters_ptr + batch,
        rows,
        live,
        D,
        EXACT,
    )
