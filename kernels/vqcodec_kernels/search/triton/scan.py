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

from typing import Any, NamedTuple

import triton
import triton.language as tl

__all__ = ["Found", "scan_codes", "score_tile"]


class Found(NamedTuple):
    """For each row the best score, its code, and the score of the runner-up."""

    best: Any
    code: Any
    second: Any


@triton.jit
def score_tile(operands, book, number, widths: tl.constexpr, tile: tl.constexpr):
    """Scores (rows, codes) of the operands against one tile of the codes of a prepared book."""
    BLOCK_M: tl.constexpr = tile.rows
    BLOCK_N: tl.constexpr = tile.codes
    codes = number * BLOCK_N + tl.arange(0, BLOCK_N)
    source = book.halves + (codes.to(tl.int64) * widths.total)[None, :]
    total = tl.broadcast_to(tl.load(book.offsets + codes)[None, :], (BLOCK_M, BLOCK_N))
    if widths.chunk > 0:
        start = operands.left[:, None]
        mask = operands.live[:, None]
        for first in range(0, widths.first, widths.chunk):
            columns = first + tl.arange(0, widths.chunk)
            part = tl.load(start + columns[None, :], mask=mask, other=0.0)
            total = tl.dot(part, tl.load(source + columns[:, None]), total)
    else:
        columns = tl.arange(0, widths.first)
        total = tl.dot(operands.left, tl.load(source + columns[:, None]), total)
        if widths.second > 0:
            columns = widths.first + tl.arange(0, widths.second)
            total = tl.dot(operands.right, tl.load(source + columns[:, None]), total)
    return total


@triton.jit
def _score_group(operands, book, first, second, widths: tl.constexpr, tile: tl.constexpr):
    """Best of the group of codes that `first` begins, and the lower of the others and second.

    The first of equals. Rounds other than the tensor cores did, within the same bound.
    """
    BLOCK_M: tl.constexpr = tile.rows
    GROUP: tl.constexpr = tile.group
    STEP: tl.constexpr = 1 if tile.adjacent else tile.codes // tile.group
    best = tl.full((BLOCK_M,), float("inf"), tl.float32)
    code = first
    for member in tl.static_range(GROUP):
        candidate = first + member * STEP
        source = book.halves + (candidate.to(tl.int64) * widths.total)[:, None]
        halves = tl.load(source + tl.arange(0, widths.first)[None, :])
        score = tl.sum(operands.left.to(tl.float32) * halves.to(tl.float32), axis=1)
        if widths.second > 0:
            halves = tl.load(source + (widths.first + tl.arange(0, widths.second))[None, :])
            score += tl.sum(operands.right.to(tl.float32) * halves.to(tl.float32), axis=1)
        score += tl.load(book.offsets + candidate)
        second = tl.minimum(second, tl.maximum(score, best))
        code = tl.where(score < best, candidate, code)
        best = tl.minimum(best, score)
    return Found(best, code, second)


@triton.jit
def scan_codes(operands, book, first, last, widths: tl.constexpr, tile: tl.constexpr):
    """Score the operands against the tiles [first, last) of a prepared book.

    tile.group: codes to a column, neighbours if tile.adjacent, else as far apart as there are
    columns; 1 where rows are read in chunks.
    """
    infinity = float("inf")
    BLOCK_M: tl.constexpr = tile.rows
    GROUP: tl.constexpr = tile.group
    WIDTH: tl.constexpr = tile.codes // tile.group
    column_best = tl.full((BLOCK_M, WIDTH), infinity, tl.float32)
    tile_best = tl.full((BLOCK_M,), infinity, tl.float32)
    tile_second = tl.full((BLOCK_M,), infinity, tl.float32)
    best_tile = tl.zeros((BLOCK_M,), tl.int32) + first
    for number in tl.range(first, last, num_stages=tile.stages):
        scores = score_tile(operands, book, number, widths, tile)
        if tile.adjacent and GROUP > 1:
            scores = tl.min(tl.reshape(scores, (BLOCK_M, WIDTH, GROUP)), axis=2)
        elif GROUP > 1:
            scores = tl.min(tl.reshape(scores, (BLOCK_M, GROUP, WIDTH)), axis=1)
        column_best = tl.minimum(column_best, scores)
        lowest = tl.min(scores, axis=1)
        best_tile = tl.where(lowest < tile_best, number, best_tile)
        tile_second = tl.minimum(tile_second, tl.maximum(lowest, tile_best))
        tile_best = tl.minimum(tile_best, lowest)
    best = tl.min(column_best, axis=1)
    columns = tl.arange(0, WIDTH)[None, :]
    column = tl.min(tl.where(column_best == best[:, None], columns, WIDTH - 1), axis=1)
    others = tl.where(columns == column[:, None], infinity, column_best)
    second = tl.minimum(tl.min(others, axis=1), tile_second)
    code = best_tile * tile.codes + (column * GROUP if tile.adjacent else column)
    found = Found(best, code, second)
    if GROUP > 1:
        found = _score_group(operands, book, code, second, widths, tile)
    return found
