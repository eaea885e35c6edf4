"""Codes predicted from their neighbours, bit by bit, by a model that keeps adapting."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec.priors.base import CodeArray, Prior, Tensors, check_codes, check_maps, integer_tensor
from vqcodec_kernels.entropy_mixing import (
    CLASS_SETS,
    INPUTS,
    TRAINED_NODES,
    TRAINED_VALUES,
    MixingTables,
    count_mixing,
    decode_mixing,
    encode_mixing,
    learn_mixing,
)

__all__ = ["MixingPrior"]


class MixingPrior(Prior):
    """Adaptive context mixing, started from training: the smallest payloads.

    It pays most when codebooks are sorted by tree_order, and when code 0 is the zero code.
    """

    mode: ClassVar[int] = 2
    name: ClassVar[str] = "mixing"

    def __init__(self, tables: MixingTables) -> None:
        super().__init__(tables.codebook_size, tables.stages)
        self._tables = tables

    @classmethod
    def untrained(cls, codebook_size: int, stages: int) -> Self:
        """Return a prior that knows nothing and learns from each map alone."""
        weights = np.zeros(INPUTS, np.int16)
        weights[: INPUTS // 2 - 1] = 400
        return cls(
            MixingTables(
                codebook_size,
                np.full((stages, TRAINED_VALUES, TRAINED_NODES), 2048 << 4, np.uint16),
                np.broadcast_to(weights, (stages, TRAINED_NODES, INPUTS)).copy(),
                np.broadcast_to(weights, (stages, CLASS_SETS, INPUTS)).copy(),
            )
        )

    @classmethod
    def fit(cls, maps: Sequence[CodeArray], *, codebook_size: int) -> Self:
        """Learn counters, then weights on maps that those counters had not seen."""
        stages = check_maps(maps, codebook_size)
        grids = [_as_grid(codes) for codes in maps]
        tables = cls.untrained(codebook_size, stages)._tables
        half = len(grids) // 2
        for stage in range(stages):
            if half:
                _start_counters(tables, grids[:half], stage)
                _, by_node, by_class = learn_mixing(grids[half:], tables, stage=stage)
                tables.node_weights[stage] = by_node
                tables.class_weights[stage] = by_class
            _start_counters(tables, grids, stage)
        return cls(tables)

    def encode(self, codes: CodeArray) -> bytes:
        """Code all stages, in order, each position in row-major order."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        return encode_mixing(_as_grid(codes), self._tables)

    def decode(
        self, payload: bytes, shape: tuple[int, ...], *, backend: str | None = None
    ) -> CodeArray:
        """Read codes of this shape. Raises CorruptPayloadError, InvalidInputError."""
        self.check_shape(shape)
        grid = (shape[0], *_grid_shape(shape[1:]))
        return decode_mixing(payload, grid, self._tables, backend=backend).reshape(shape)

    def tensors(self) -> Tensors:
        """Return `size` int64 (1,), and the arrays of MixingTables by their names."""
        return {
            "size": np.array([self.codebook_size], np.int64),
            "counters": self._tables.counters,
            "node_weights": self._tables.node_weights,
            "class_weights": self._tables.class_weights,
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from tensors()."""
        size = integer_tensor(tensors, "size", np.int64, (1,)).tolist()[0]
        shapes = (TRAINED_VALUES, TRAINED_NODES), (TRAINED_NODES, INPUTS), (CLASS_SETS, INPUTS)
        counters = integer_tensor(tensors, "counters", np.uint16, (-1, *shapes[0]))
        by_node = integer_tensor(tensors, "node_weights", np.int16, (-1, *shapes[1]))
        by_class = integer_tensor(tensors, "class_weights", np.int16, (-1, *shapes[2]))
        return cls(
            MixingTables(
                size,
                counters.astype(np.uint16),
                by_node.astype(np.int16),
                by_class.astype(np.int16),
            )
        )


def _grid_shape(positions: tuple[int, ...]) -> tuple[int, int]:
    """Lay positions of any rank out as rows: the last axis is the width."""
    width = positions[-1] if positions else 1
    return int(np.prod(positions[:-1], dtype=object)), width


def _as_grid(codes: CodeArray) -> CodeArray:
    return np.ascontiguousarray(codes).reshape(len(codes), *_grid_shape(codes.shape[1:]))


def _start_counters(tables: MixingTables, grids: Sequence[CodeArray], stage: int) -> None:
    """Fill the counters of a stage from how often each bit follows each context in the grids."""
    counts = count_mixing(grids, codebook_size=tables.codebook_size, stage=stage)
    total = counts.sum(axis=-1)
    # The first context is the empty one: what a node does everywhere, the guess for rare contexts.
    everywhere = (counts[:1, :, 1] + 0.4) / (total[:1] + 0.8)
    probability = (counts[:, :, 1] + 8 * everywhere) / (total + 8)
    probability[0] = everywhere[0]
    cell = np.clip(np.floor(probability * 4096), 0, 4095).astype(np.uint16)
    trust = np.minimum(total // 8, 12).astype(np.uint16)
    tables.counters[stage] = cell << 4 | trust
