# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""First pass of the search: every distance, in half precision, on tensor cores.

Rows that the certificate cannot settle are appended to a list for the second pass.
"""

import triton
import triton.language as tl

from vqcodec_kernels.search.triton.centre import STATS
from vqcodec_kernels.search.triton.certificate import conclude, pick_doubtful
from vqcodec_kernels.search.triton.codebook import pick_centre, pick_prepared
from vqcodec_kernels.search.triton.rows import take_rows
from vqcodec_kernels.search.triton.scan import Found, scan_codes

__all__ = ["filter_kernel", "merge_kernel"]


@triton.jit(do_not_specialize=["N", "count", "tiles", "tiles_per_split"])
def filter_kernel(
    prepared,
    doubtful,
    x_ptr,
    rounded,
    partial_ptr,
    N,
    count,
    tiles,
    tiles_per_split,
    widths: tl.constexpr,
    tile: tl.constexpr,
    EXACT: tl.constexpr,
):
    """Search the rows [0, count) of each batch of x (B, N, D), whose pointer is at the first.

    rounded: None for rows that are rounded on the way in. With `partial` program_id(2) takes a
    share of the tiles, and `merge_kernel` joins the shares that stand there, (5, splits, B, count):
    best, runner-up, ||x||^2, ||dx||^2, code bits.
    """
    batch = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * tile.rows + tl.arange(0, tile.rows)
    live = rows < count
    base = x_ptr + batch * N * widths.dim
    centre = pick_centre(prepared, batch, widths)
    operands, x_squared, lost_squared = take_rows(
        base, rounded, centre, batch, rows, live, count, widths
    )
    book = pick_prepared(prepared, batch, tiles.to(tl.int64) * tile.codes, widths)
    first_tile = tl.program_id(2) * tiles_per_split
    last_tile = tl.minimum(first_tile + tiles_per_split, tiles)
    found = scan_codes(operands, book, first_tile, last_tile, widths, tile)
    if partial_ptr is not None:
        plane = tl.num_programs(2).to(tl.int64) * tl.num_programs(1) * count
        share = (tl.program_id(2).to(tl.int64) * tl.num_programs(1) + batch) * count
        target = partial_ptr + share + rows
        tl.store(target, found.best, mask=live)
        tl.store(target + plane, found.second, mask=live)
        tl.store(target + 2 * plane, x_squared, mask=live)
        tl.store(target + 3 * plane, lost_squared, mask=live)
        tl.store(target + 4 * plane, found.code.to(tl.float32, bitcast=True), mask=live)
    else:
        own = pick_doubtful(doubtful, batch, N, count)
        conclude(found, x_squared, lost_squared, book.stats, own, rows, live, widths.dim, EXACT)


@triton.jit(do_not_specialize=["N", "count", "splits"])
def merge_kernel(
    partial_ptr,
    stats_ptr,
    doubtful,
    N,
    count,
    splits,
    D: tl.constexpr,
    BLOCK_M: tl.constexpr,
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
    found = Found(best, code, second)
    stats = stats_ptr + batch * STATS
    own = pick_doubtful(doubtful, batch, N, count)
    conclude(found, x_squared, lost_squared, stats, own, rows, live, D, EXACT)
