"""An order of the codes of a codebook in which the bits of an index mean something."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["tree_order"]

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


def tree_order(vectors: NDArray[np.floating], *, fixed_zero: bool = True) -> IndexArray:
    """Sort codes along a binary tree of principal splits, so that close codes share leading bits.

    vectors: float (K, D), finite. Returns order, int64 (K,), a permutation: code i of the sorted
    codebook is vectors[order[i]]. Each node of the tree splits its codes across their principal
    axis; the low half takes as many codes as a full subtree holds, so for K that is no power of
    two the missing indices are the highest. With fixed_zero, code 0 stays code 0: at each split
    the half that holds it goes to the low side. The same input gives the same order.
    Raises ValueError for another rank, no codes, or values that are not finite.
    """
    points = np.asarray(vectors, dtype=np.float64)
    if points.ndim != 2 or points.shape[0] == 0:
        raise ValueError(f"vectors must be (K, D) with K >= 1, got {points.shape = }")
    if not np.isfinite(points).all():
        raise ValueError("vectors must be finite")
    order = np.arange(len(points), dtype=np.int64)
    depth = (len(points) - 1).bit_length()
    # Groups that still share all bits seen so far, widest first: (first index, end, bits left).
    groups = [(0, len(points), depth)]
    while groups:
        first, end, bits = groups.pop()
        if end - first < 2:
            continue
        middle = first + min(end - first, 1 << (bits - 1))
        if middle < end:
            order[first:end] = _split(points, order[first:end], middle - first, fixed_zero)
            groups.append((middle, end, bits - 1))
        groups.append((first, middle, bits - 1))
    return order


def _split(points: FloatArray, members: IndexArray, low: int, fixed_zero: bool) -> IndexArray:
    """Reorder members along their principal axis so that the first `low` form the low half."""
    centred = points[members] - points[members].mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    # An eigenvector has no sign of its own: let its largest component be positive.
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    # Equal projections keep the order of their numbers, whatever the sort's algorithm.
    ranked = members[np.lexsort((members, centred @ axis))]
    if fixed_zero and 0 in ranked[low:]:
        ranked = ranked[::-1]
    return ranked
