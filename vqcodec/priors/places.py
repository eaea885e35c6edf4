"""What the network of the mixing prior sees of the codes that it learns from.

A place is the sum of the embeddings of the codes at a position so far, and zero outside the grid;
the network looks at nine of them around each position.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.neighbours import PLACES
from vqcodec_kernels.entropy.start import MAX_ACTIVATION

__all__ = ["Samples"]

# One unit of a float input is this many integer units of a place.
UNIT = 256.0


class Samples(NamedTuple):
    """Codes of one stage of some grids, and the places around them.

    before, after: int16 (R, E), the places of all grids with borders around them, in row-major
    order, before and after the codes of the stage are known. rows: int64 (N,), where the codes
    stand among them; strides: int64 (N, axes), how far their neighbours along each axis are.
    codes: int64 (N,).

    >>> grid = np.array([[[3, 0, 1]], [[2, 2, 0]]])
    >>> samples = Samples.of([grid], np.full((2, 4, 1), 256, np.int16), stage=1)
    >>> samples.inputs(np.array([0, 1, 2]))[:, 3:6]
    array([[0., 1., 1.],
           [2., 1., 1.],
           [2., 1., 0.]], dtype=float32)
    """

    before: NDArray[np.int16]
    after: NDArray[np.int16]
    rows: NDArray[np.int64]
    strides: NDArray[np.int64]
    codes: NDArray[np.int64]

    @classmethod
    def of(
        cls, grids: Sequence[NDArray[np.int64]], embeddings: NDArray[np.int16], stage: int
    ) -> Self:
        """Take the codes of a stage of grids, int64 (S', *positions), with as many axes each.

        embeddings: int16 (S, K, E).
        """
        parts: list[Self] = []
        first = 0
        for grid in grids:
            parts.append(cls._of_one(grid, embeddings, stage, first))
            first += len(parts[-1].before)
        return cls(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    @classmethod
    def _of_one(
        cls, grid: NDArray[np.int64], embeddings: NDArray[np.int16], stage: int, first: int
    ) -> Self:
        """The same of one grid, whose places come behind `first` others."""
        extent = grid.shape[1:]
        border = np.abs(PLACES[len(extent)]).max(axis=0)
        inside = tuple(slice(b, b + n) for b, n in zip(border, extent, strict=True))
        totals = np.zeros((*(extent + 2 * border), embeddings.shape[2]), np.int32)
        for earlier in range(stage):
            totals[inside] += embeddings[earlier][grid[earlier]]
        before = _as_rows(totals)
        totals[inside] += embeddings[stage][grid[stage]]
        numbers = np.arange(first, first + len(before)).reshape(totals.shape[:-1])
        strides = np.array(numbers.strides) // numbers.itemsize
        return cls(
            before,
            _as_rows(totals),
            numbers[inside].ravel(),
            np.broadcast_to(strides, (grid[stage].size, len(strides))),
            grid[stage].ravel(),
        )

    @property
    def width(self) -> int:
        """Number of inputs of the network: 9 E."""
        axes, dimensions = self.strides.shape[1], self.before.shape[1]
        return len(PLACES[axes]) * int(dimensions)

    def inputs(self, chosen: NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the nine places around each chosen position, float32 (N, 9 E).

        Places that are coded before the position hold their code of this stage already.
        """
        rows, strides = self.rows[chosen], self.strides[chosen]
        here = (0,) * strides.shape[1]
        places = [
            (self.after if offset < here else self.before)[rows + strides @ np.array(offset)]
            for offset in PLACES[len(here)]
        ]
        return np.concatenate(places, axis=1).astype(np.float32) / np.float32(UNIT)


def _as_rows(totals: NDArray[np.int32]) -> NDArray[np.int16]:
    clamped = np.clip(totals, -MAX_ACTIVATION, MAX_ACTIVATION).astype(np.int16)
    return clamped.reshape(-1, totals.shape[-1])
