"""The nearest of vectors that are known by their codes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.vector.codebook import Codebook

__all__ = ["METRICS", "Nearest", "nearest_vectors"]

METRICS = ("inner_product", "l2", "cosine")
# Scores that are in memory at a time.
_SCORES = 2**22


class Nearest(NamedTuple):
    """scores: float32 (Q, k), the nearest first. rows: int64 (Q, k), numbers of the vectors."""

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]


def nearest_vectors(
    book: Codebook,
    codes: NDArray[np.integer[Any]],
    norms: NDArray[np.float32] | None,
    queries: NDArray[np.float32],
    k: int,
    metric: str,
) -> Nearest:
    """The k nearest of vectors of codes (S, N) to queries (Q, D).

    norms: squared lengths of the vectors, (N,), for all metrics but the inner product.
    """
    count, most = codes.shape[1], 256
    parts = [
        _nearest_few(book, codes, norms, queries[start : start + most], min(k, count), metric)
        for start in range(0, len(queries), most)
    ]
    if not parts:
        return Nearest(np.zeros((0, k), np.float32), np.zeros((0, k), np.int64))
    scores, rows = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Nearest(scores, rows)


def _nearest_few(
    book: Codebook,
    codes: NDArray[np.integer[Any]],
    norms: NDArray[np.float32] | None,
    queries: NDArray[np.float32],
    k: int,
    metric: str,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    tables, offset = _tables(book, queries)
    lengths = np.einsum("qd,qd->q", queries, queries)
    held = np.full((len(queries), 0), 0, np.float32), np.full((len(queries), 0), 0, np.int64)
    block = max(k, _SCORES // len(queries))
    for start in range(0, codes.shape[1], block):
        part = codes[:, start : start + block]
        near = _sums(tables, part) + offset[:, None]
        if norms is not None:
            squared = norms[start : start + block]
            if metric == "l2":
                # Negative, so that the largest is the nearest.
                near = np.minimum(2 * near - squared - lengths[:, None], 0)
            else:
                product = np.sqrt(squared * lengths[:, None])
                near = np.divide(near, product, out=np.zeros_like(near), where=product > 0)
        best, rows = _largest(near, k)
        held = np.hstack([held[0], best]), np.hstack([held[1], rows + start])
        if held[0].shape[1] > k:
            best, places = _largest(held[0], k)
            held = best, np.take_along_axis(held[1], places, axis=1)
    order = np.argsort(-held[0], axis=1, kind="stable")
    scores = np.take_along_axis(held[0], order, axis=1)
    rows = np.take_along_axis(held[1], order, axis=1)
    return (-scores if metric == "l2" else scores), rows


def _tables(
    book: Codebook, queries: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What each code adds to the inner product with each query, (S, K, Q), and what all have."""
    projected = (book.basis.astype(np.float32) @ queries.T) * np.float32(book.unit)
    stages, size, components = book.tables.shape
    flat = book.tables.reshape(-1, components).astype(np.float32) @ projected
    return flat.reshape(stages, size, -1), queries @ book.mean


def _sums(tables: NDArray[np.float32], codes: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Inner products (Q, n): of each vector the sum of what its codes (S, n) add."""
    total = tables[0].take(codes[0], axis=0)
    for table, chosen in zip(tables[1:], codes[1:], strict=True):
        total += table.take(chosen, axis=0)
    return np.ascontiguousarray(total.T)


def _largest(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The k largest of each row, in any order, and where they are."""
    if scores.shape[1] <= k:
        return scores, np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    places = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
    return np.take_along_axis(scores, places, axis=1), places
