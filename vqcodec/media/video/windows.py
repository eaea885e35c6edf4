"""Which parts of a frame are computed anew: boxes of blocks, each with room around it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROOM", "Window", "grown", "windows_of"]

# Positions around a box that networks see beside it. Part of the format.
ROOM = 4


class Window(NamedTuple):
    """A box of positions, and what networks see of it: rows from top to bottom, columns likewise.

    box, seen: (top, bottom, left, right), the second and fourth one behind the last.
    """

    box: tuple[int, int, int, int]
    seen: tuple[int, int, int, int]


def grown(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The blocks and those beside them, corners included.

    >>> grown(np.eye(3, dtype=bool)[:1]).tolist()
    [[True, True, False]]
    """
    padded = np.pad(blocks, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    found: NDArray[np.bool_] = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return found


def windows_of(blocks: NDArray[np.bool_], grid: tuple[int, int]) -> list[Window]:
    """Windows that cover blocks of 2 x 2 positions; what they see does not overlap.

    Each run of blocks in a row is a box; as long as what two boxes see overlaps, both become the
    smallest box around them. So all windows together are never more than the frame.

    blocks: bool, the blocks of the grid. grid: rows and columns of positions.

    >>> blocks = np.zeros((20, 30), bool)
    >>> blocks[2, 3:5] = blocks[15, 25] = True
    >>> [window.box for window in windows_of(blocks, (40, 59))]
    [(4, 6, 6, 10), (30, 32, 50, 52)]
    """
    boxes: list[tuple[int, int, int, int]] = []
    for row in np.flatnonzero(blocks.any(1)).tolist():
        edges = np.flatnonzero(np.diff(np.pad(blocks[row], 1).astype(np.int8)))
        for start, stop in edges.reshape(-1, 2).tolist():
            boxes = _joined(boxes, (2 * row, 2 * row + 2, 2 * start, 2 * stop), grid)
    return [Window(box, _seen(box, grid)) for box in sorted(boxes)]


def _joined(
    boxes: list[tuple[int, int, int, int]],
    box: tuple[int, int, int, int],
    grid: tuple[int, int],
) -> list[tuple[int, int, int, int]]:
    """Boxes and another one, which takes in those that see what it sees."""
    box = (box[0], min(box[1], grid[0]), box[2], min(box[3], grid[1]))
    while True:
        near = [other for other in boxes if _overlap(_seen(box, grid), _seen(other, grid))]
        if not near:
            return [*boxes, box]
        boxes = [other for other in boxes if other not in near]
        tops, bottoms, lefts, rights = zip(box, *near, strict=True)
        box = (min(tops), max(bottoms), min(lefts), max(rights))


def _seen(box: tuple[int, int, int, int], grid: tuple[int, int]) -> tuple[int, int, int, int]:
    top, bottom, left, right = box
    return (
        max(0, top - ROOM),
        min(grid[0], bottom + ROOM),
        max(0, left - ROOM),
        min(grid[1], right + ROOM),
    )


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
