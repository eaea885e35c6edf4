# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""Second pass of the search: the doubtful rows, decided in float64 by the definition.

A doubtful row comes with a limit: only codes whose half-precision score does not exceed it can
be nearest, usually two or three. The scores are computed again, and the few candidates gathered
eight at a time for their float64 distances, summed in the order of the definition. Where nothing
can be ruled out (a row that float16 cannot hold) every code is a candidate, and the kernel is a
plain float64 search. It must be compiled without fused multiply-add.
"""

import triton
import triton.language as tl

from vqcodec_kernels.search.triton.codebook import power_of_two_scale
from vqcodec_kernels.search.triton.rows import take_rows
from vqcodec_kernels.search.triton.scan import score_tile

__all__ = ["CANDIDATES", "distance_kernel", "distances", "settle_kernel", "settle_rows"]

CANDIDATES = 8


@triton.jit
def distances(x_ptr, codebook_ptr, bias_ptr, rows, live, codes, wanted, D, HAS_BIAS: tl.constexpr):
    """Float64 distances (rows, candidates), term by term in the order of the definition."""
    total = tl.zeros(codes.shape, tl.float64)
    for d in range(D):
        value = tl.load(x_ptr + rows * D + d, mask=live, other=0.0).to(tl.float64)
        code = tl.load(codebook_ptr + codes * D + d, mask=wanted, other=0.0).to(tl.float64)
        difference = value[:, None] - code
        total += difference * difference
    if HAS_BIAS:
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
    left,
    right,
    rounded_ptr,
    live,
    limits,
    halves_ptr,
    offsets_ptr,
    tiles,
    x_ptr,
    rows,
    codebook_ptr,
    bias_ptr,
    K,
    D,
    D1: tl.constexpr,
    D2: tl.constexpr,
    CHUNK: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    WIDE: tl.constexpr,
):
    """Nearest codes of the live rows, by the definition; K where there is none (NaN)."""
    NONE: tl.constexpr = 2**62
    columns = tl.arange(0, BLOCK_N)[None, :]
    places = tl.arange(0, WIDE)[None, :]
    held = tl.zeros((BLOCK_M,), tl.int32)
    candidates = tl.zeros((BLOCK_M, WIDE), tl.int64)
    best = tl.full((BLOCK_M,), float("inf"), tl.float64)
    best_code = tl.full((BLOCK_M,), NONE, tl.int64)
    for tile in range(0, tiles):
        scores = score_tile(
            left,
            right,
            rounded_ptr,
            live,
            halves_ptr,
            offsets_ptr,
            tile,
            D1,
            D2,
            CHUNK,
            BLOCK_M,
            BLOCK_N,
        )
        possible = live[:, None] & ((scores > limits[:, None]) == 0)
        possible = possible & (tile * BLOCK_N + columns < K)
        open_columns = tl.where(possible, columns, BLOCK_N)
        column = tl.min(open_columns, axis=1)
        while tl.min(column, axis=0) < BLOCK_N:
            found = column < BLOCK_N
            code = tile * BLOCK_N + column.to(tl.int64)
            here = found[:, None] & (places == held[:, None])
            candidates = tl.where(here, code[:, None], candidates)
            held += found.to(tl.int32)
            open_columns = tl.where(open_columns == column[:, None], BLOCK_N, open_columns)
            column = tl.min(open_columns, axis=1)
            if tl.max(held, axis=0) == WIDE:
                wanted = places < held[:, None]
                total = distances(
                    x_ptr, codebook_ptr, bias_ptr, rows, live, candidates, wanted, D, HAS_BIAS
                )
                best, best_code = _challenge(total, candidates, wanted, best, best_code, NONE)
                held = tl.zeros((BLOCK_M,), tl.int32)
    wanted = places < held[:, None]
    total = distances(x_ptr, codebook_ptr, bias_ptr, rows, live, candidates, wanted, D, HAS_BIAS)
    best, best_code = _challenge(total, candidates, wanted, best, best_code, NONE)
    return tl.minimum(best_code, K)


@triton.jit(do_not_specialize=["N", "count", "tiles", "K"])
def settle_kernel(
    x_ptr,
    codebook_ptr,
    bias_ptr,
    row_halves_ptr,
    halves_ptr,
    offsets_ptr,
    means_ptr,
    stats_ptr,
    codes_ptr,
    list_ptr,
    limits_ptr,
    counters_ptr,
    N,
    count,
    tiles,
    K,
    D: tl.constexpr,
    D1: tl.constexpr,
    D2: tl.constexpr,
    CHUNK: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    SLOTS: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    ROUNDED: tl.constexpr,
    WIDE: tl.constexpr,
):
    """Settle the listed rows of each batch; a fixed grid of programs shares the list."""
    batch = tl.program_id(1).to(tl.int64)
    scale = power_of_two_scale(tl.load(stats_ptr + batch * SLOTS).to(tl.float32, bitcast=True))
    base = x_ptr + batch * N * D
    padded = tiles.to(tl.int64) * BLOCK_N
    rounded = row_halves_ptr + batch * count * (D1 + D2)
    listed = tl.load(counters_ptr + batch)
    for block in range(tl.program_id(0), tl.cdiv(listed, BLOCK_M), tl.num_programs(0)):
        slots = block * BLOCK_M + tl.arange(0, BLOCK_M)
        live = slots < listed
        rows = tl.load(list_ptr + batch * count + slots, mask=live, other=0).to(tl.int64)
        limits = tl.load(limits_ptr + batch * count + slots, mask=live, other=0.0)
        left, right, _, _ = take_rows(
            base, rounded, means_ptr + batch * D, scale, rows, live, D, D1, D2, ROUNDED, CHUNK
        )
        codes = settle_rows(
            left,
            right,
            rounded + rows * (D1 + D2),
            live,
            limits,
            halves_ptr + batch * padded * (D1 + D2),
            offsets_ptr + batch * padded,
            tiles,
            base,
            rows,
            codebook_ptr + batch * K * D,
            bias_ptr + batch * K,
            K,
            D,
            D1,
            D2,
            CHUNK,
            BLOCK_M,
            BLOCK_N,
            HAS_BIAS,
            WIDE,
        )
        tl.store(codes_ptr + batch * N + rows, codes, mask=live & (codes < K))


@triton.jit(do_not_specialize=["N", "K"])
def distance_kernel(
    x_ptr,
    codebook_ptr,
    bias_ptr,
    codes_ptr,
    distances_ptr,
    N,
    K,
    D,
    BLOCK_M: tl.constexpr,
    HAS_BIAS: tl.constexpr,
):
    """Distances of given codes by the definition, rounded to float32."""
    batch = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    live = rows < N
    codes = tl.load(codes_ptr + batch * N + rows, mask=live, other=0)[:, None]
    total = distances(
        x_ptr + batch * N * D,
        codebook_ptr + batch * K * D,
        bias_ptr + batch * K,
        rows,
        live,
        codes,
        live[:, None],
        D,
        HAS_BIAS,
    )
    distance = tl.sum(total, axis=1).to(tl.float32)
    tl.store(distances_ptr + batch * N + rows, distance, mask=live)
