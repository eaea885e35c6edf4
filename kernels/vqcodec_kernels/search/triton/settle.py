# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""Second pass of the search: the doubtful rows, decided in float64 by the definition.

A doubtful row comes with a limit: only codes whose half-precision score does not exceed it can
be nearest, usually two or three. The scores are computed again, and the few candidates gathered
eight at a time for their float64 distances, summed in the order of the definition. Codes that the
filter does not see are candidates by their floors, see `certificate`. Where nothing can be ruled
out (a row that float16 cannot hold) every code is a candidate, and the kernel is a plain float64
search. It must be compiled without fused multiply-add.
"""

import triton
import triton.language as tl

from vqcodec_kernels.search.triton.certificate import far_limits, pick_doubtful
from vqcodec_kernels.search.triton.codebook import pick_centre, pick_prepared
from vqcodec_kernels.search.triton.rows import take_rows
from vqcodec_kernels.search.triton.scan import score_tile

__all__ = ["distance_kernel", "settle_kernel", "settle_rows"]

_CANDIDATES = tl.constexpr(8)


@triton.jit
def _distances(x_ptr, rows, live, vectors_ptr, bias_ptr, codes, wanted, D):
    """Float64 distances (rows, candidates), term by term in the order of the definition."""
    total = tl.zeros(codes.shape, tl.float64)
    for d in range(D):
        value = tl.load(x_ptr + rows * D + d, mask=live, other=0.0).to(tl.float64)
        code = tl.load(vectors_ptr + codes * D + d, mask=wanted, other=0.0).to(tl.float64)
        difference = value[:, None] - code
        total += difference * difference
    if bias_ptr is not None:
        total += tl.load(bias_ptr + codes, mask=wanted, other=0.0).to(tl.float64)
    return total


@triton.jit
def _challenge(total, codes, wanted, best, best_code, NONE: tl.constexpr):
    """Let candidates, all of higher index than before, take the lead where they are nearer."""
    total = tl.where(wanted, total, float("inf"))
    lowest = tl.min(total, axis=1)
    winner = tl.min(tl.where(wanted & (total == lowest[:, None]), codes, NONE), axis=1)
    nearer = (lowest < best) | ((best_code == NONE) & (winner != NONE))
    return tl.where(nearer, lowest, best), tl.where(nearer, winner, best_code)


@triton.jit
def settle_rows(
    operands,
    limits,
    floor_limits,
    book,
    tiles,
    x_ptr,
    rows,
    codebooks,
    first,
    K,
    widths: tl.constexpr,
    tile: tl.constexpr,
):
    """Nearest codes of the live rows, by the definition; K where there is none (NaN).

    limits, floor_limits: the highest score, and the highest floor of a far code, that may be the
    nearest. operands, book: the rows and the codes as the filter multiplies them. x (N, D),
    codebooks: as they are given, the codes from the vector `first` on.
    """
    NONE: tl.constexpr = 2**62
    BLOCK_M: tl.constexpr = tile.rows
    BLOCK_N: tl.constexpr = tile.codes
    D: tl.constexpr = widths.dim
    vectors = codebooks.vectors + first * D
    bias = codebooks.bias
    if bias is not None:
        bias += first
    live = operands.live
    columns = tl.arange(0, BLOCK_N)[None, :]
    places = tl.arange(0, _CANDIDATES)[None, :]
    held = tl.zeros((BLOCK_M,), tl.int32)
    candidates = tl.zeros((BLOCK_M, _CANDIDATES), tl.int64)
    best = tl.full((BLOCK_M,), float("inf"), tl.float64)
    best_code = tl.full((BLOCK_M,), NONE, tl.int64)
    for number in range(0, tiles):
        scores = score_tile(operands, book, number, widths, tile)
        floors = tl.load(book.offsets + tiles * BLOCK_N + number * BLOCK_N + columns)
        possible = ((scores > limits[:, None]) == 0) | (floors <= floor_limits[:, None])
        # Of a code that is never returned the floor is NaN.
        possible = possible & live[:, None] & (floors == floors)
        possible = possible & (number * BLOCK_N + columns < K)
        open_columns = tl.where(possible, columns, BLOCK_N)
        column = tl.min(open_columns, axis=1)
        while tl.min(column, axis=0) < BLOCK_N:
            found = column < BLOCK_N
            code = number * BLOCK_N + column.to(tl.int64)
            here = found[:, None] & (places == held[:, None])
            candidates = tl.where(here, code[:, None], candidates)
            held += found.to(tl.int32)
            open_columns = tl.where(open_columns == column[:, None], BLOCK_N, open_columns)
            column = tl.min(open_columns, axis=1)
            if tl.max(held, axis=0) == _CANDIDATES:
                wanted = places < held[:, None]
                total = _distances(x_ptr, rows, live, vectors, bias, candidates, wanted, D)
                best, best_code = _challenge(total, candidates, wanted, best, best_code, NONE)
                held = tl.zeros((BLOCK_M,), tl.int32)
    wanted = places < held[:, None]
    total = _distances(x_ptr, rows, live, vectors, bias, candidates, wanted, D)
    best, best_code = _challenge(total, candidates, wanted, best, best_code, NONE)
    return tl.minimum(best_code, K)


@triton.jit(do_not_specialize=["N", "count", "tiles", "K"])
def settle_kernel(
    codebooks,
    prepared,
    doubtful,
    x_ptr,
    rounded,
    N,
    count,
    tiles,
    K,
    widths: tl.constexpr,
    tile: tl.constexpr,
):
    """Settle the listed rows of each batch; a fixed grid of programs shares the list."""
    batch = tl.program_id(1).to(tl.int64)
    base = x_ptr + batch * N * widths.dim
    book = pick_prepared(prepared, batch, tiles.to(tl.int64) * tile.codes, widths)
    own = pick_doubtful(doubtful, batch, N, count)
    centre = pick_centre(prepared, batch, widths)
    listed = tl.load(own.counters)
    for block in range(tl.program_id(0), tl.cdiv(listed, tile.rows), tl.num_programs(0)):
        slots = block * tile.rows + tl.arange(0, tile.rows)
        live = slots < listed
        rows = tl.load(own.rows + slots, mask=live, other=0).to(tl.int64)
        limits = tl.load(own.limits + slots, mask=live, other=0.0)
        operands, x_squared, lost_squared = take_rows(
            base, rounded, centre, batch, rows, live, count, widths
        )
        floor_limits = far_limits(limits, x_squared, lost_squared, book.stats)
        codes = settle_rows(
            operands,
            limits,
            floor_limits,
            book,
            tiles,
            base,
            rows,
            codebooks,
            batch * K,
            K,
            widths,
            tile,
        )
        tl.store(own.codes + rows, codes, mask=live & (codes < K))


@triton.jit(do_not_specialize=["N", "K"])
def distance_kernel(x_ptr, codebooks, codes_ptr, distances_ptr, N, K, D, BLOCK_M: tl.constexpr):
    """Distances of given codes by the definition, rounded to float32."""
    batch = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    live = rows < N
    codes = tl.load(codes_ptr + batch * N + rows, mask=live, other=0)[:, None]
    wanted = live[:, None]
    base = x_ptr + batch * N * D
    vectors = codebooks.vectors + batch * K * D
    bias = codebooks.bias
    if bias is not None:
        bias += batch * K
    total = _distances(base, rows, live, vectors, bias, codes, wanted, D)
    distance = tl.sum(total, axis=1).to(tl.float32)
    tl.store(distances_ptr + batch * N + rows, distance, mask=live)
