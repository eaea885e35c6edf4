# mypy: disable-error-code="import-untyped, no-untyped-def, untyped-decorator"
"""Scores of a tile of rows against all codes, and the best of them without an index.

A row keeps two running minima of its scores: one for each column of the tile (over all tiles), one
for each tile (over all its columns). At the end the best column and the best tile name the best
code, and every other code lies in another column or in another tile, so the lower of the two
runners-up bounds them all. That costs two minimum instructions per distance, where a running index
and a running second best cost four to seven.

With GROUP > 1 a column stands for so many codes, those that one thread holds anyway, and the minima
are over groups: 1 + 1 / GROUP instructions. Which code of the best group it was is found at the
end, by scoring its few members again from the same rounded numbers.
"""

import triton
import triton.language as tl

__all__ = ["scan_codes", "score_tile"]


@triton.jit
def score_tile(
    left,
    right,
    rows_ptr,
    live,
    halves_ptr,
    offsets_ptr,
    tile,
    D1: tl.constexpr,
    D2: tl.constexpr,
    CHUNK: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    """Scores (BLOCK_M, BLOCK_N) of the rows against one tile of codes.

    CHUNK: the rows are read from memory, at rows_ptr (BLOCK_M,), CHUNK columns at a time.
    """
    codes = tile * BLOCK_N + tl.arange(0, BLOCK_N)
    source = halves_ptr + (codes.to(tl.int64) * (D1 + D2))[None, :]
    total = tl.broadcast_to(tl.load(offsets_ptr + codes)[None, :], (BLOCK_M, BLOCK_N))
    if CHUNK > 0:
        for start in range(0, D1, CHUNK):
            columns = start + tl.arange(0, CHUNK)
            part = tl.load(rows_ptr[:, None] + columns[None, :], mask=live[:, None], other=0.0)
            total = tl.dot(part, tl.load(source + columns[:, None]), total)
    else:
        total = tl.dot(left, tl.load(source + tl.arange(0, D1)[:, None]), total)
        if D2 > 0:
            total = tl.dot(right, tl.load(source + (D1 + tl.arange(0, D2))[:, None]), total)
    return total


@triton.jit
def _score_group(
    left,
    right,
    halves_ptr,
    offsets_ptr,
    first,
    second,
    D1: tl.constexpr,
    D2: tl.constexpr,
    BLOCK_M: tl.constexpr,
    GROUP: tl.constexpr,
    STEP: tl.constexpr,
):
    """Best of the codes first, first + STEP, ... of each row, and the lower of the rest and second.

    The first of equals. Rounds other than the tensor cores did, within the same bound.
    """
    best = tl.full((BLOCK_M,), float("inf"), tl.float32)
    code = first
    for member in tl.static_range(GROUP):
        candidate = first + member * STEP
        source = halves_ptr + (candidate.to(tl.int64) * (D1 + D2))[:, None]
        halves = tl.load(source + tl.arange(0, D1)[None, :])
        score = tl.sum(left.to(tl.float32) * halves.to(tl.float32), axis=1)
        if D2 > 0:
            halves = tl.load(source + (D1 + tl.arange(0, D2))[None, :])
            score += tl.sum(right.to(tl.float32) * halves.to(tl.float32), axis=1)
        score += tl.load(offsets_ptr + candidate)
        second = tl.minimum(second, tl.maximum(score, best))
        code = tl.where(score < best, candidate, code)
        best = tl.minimum(best, score)
    return best, code, second


@triton.jit
def scan_codes(
    left,
    right,
    rows_ptr,
    live,
    halves_ptr,
    offsets_ptr,
    first_tile,
    last_tile,
    D1: tl.constexpr,
    D2: tl.constexpr,
    CHUNK: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    STAGES: tl.constexpr,
    GROUP: tl.constexpr,
    ADJACENT: tl.constexpr,
):
    """Return the best score of each row, its code, and the score of the runner-up.

    GROUP: codes to a column, neighbours if ADJACENT, else BLOCK_N / GROUP apart; 1 with CHUNK.
    """
    infinity = float("inf")
    WIDTH: tl.constexpr = BLOCK_N // GROUP
    column_best = tl.full((BLOCK_M, WIDTH), infinity, tl.float32)
    tile_best = tl.full((BLOCK_M,), infinity, tl.float32)
    tile_second = tl.full((BLOCK_M,), infinity, tl.float32)
    best_tile = tl.zeros((BLOCK_M,), tl.int32) + first_tile
    for tile in tl.range(first_tile, last_tile, num_stages=STAGES):
        scores = score_tile(
            left,
            right,
            rows_ptr,
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
        if ADJACENT and GROUP > 1:
            scores = tl.min(tl.reshape(scores, (BLOCK_M, WIDTH, GROUP)), axis=2)
        elif GROUP > 1:
            scores = tl.min(tl.reshape(scores, (BLOCK_M, GROUP, WIDTH)), axis=1)
        column_best = tl.minimum(column_best, scores)
        lowest = tl.min(scores, axis=1)
        best_tile = tl.where(lowest < tile_best, tile, best_tile)
        tile_second = tl.minimum(tile_second, tl.maximum(lowest, tile_best))
        tile_best = tl.minimum(tile_best, lowest)
    best = tl.min(column_best, axis=1)
    columns = tl.arange(0, WIDTH)[None, :]
    column = tl.min(tl.where(column_best == best[:, None], columns, WIDTH - 1), axis=1)
    others = tl.where(columns == column[:, None], infinity, column_best)
    second = tl.minimum(tl.min(others, axis=1), tile_second)
    code = best_tile * BLOCK_N + (column * GROUP if ADJACENT else column)
    if GROUP > 1:
        best, code, second = _score_group(
            left,
            right,
            halves_ptr,
            offsets_ptr,
            code,
            second,
            D1,
            D2,
            BLOCK_M,
            GROUP,
            1 if ADJACENT else WIDTH,
        )
    return best, code, second
