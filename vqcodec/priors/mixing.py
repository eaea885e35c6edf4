"""Codes predicted from their neighbours, bit by bit, by a model that keeps adapting."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec.priors.base import CodeArray, Prior, Tensors, check_codes, check_maps
from vqcodec.priors.network import Network, fit_network, split_grids
from vqcodec_kernels.entropy.mixing import (
    count_mixing,
    decode_mixing,
    encode_mixing,
    learn_mixing,
)
from vqcodec_kernels.entropy.tables import (
    CLASS_SETS,
    INPUTS,
    TRAINED_NODES,
    TRAINED_VALUES,
    MixingTables,
)
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["MixingPrior"]


class MixingPrior(Prior):
    """Adaptive context mixing, started from training: the smallest payloads.

    It asks first whether a code is code 0; only where it is not does its network say which of the
    other codes it expects. It pays most when codebooks are sorted by tree_order, and when code 0 is
    the zero code.
    """

    mode: ClassVar[int] = 2
    name: ClassVar[str] = "mixing"

    def __init__(self, tables: MixingTables) -> None:
        super().__init__(tables.codebook_size, tables.stages)
        self._tables = tables

    @classmethod
    def untrained(cls, codebook_size: int, stages: int) -> Self:
        """Return a prior that knows nothing and learns from each grid alone."""
        return cls(_blank_tables(codebook_size, stages, None))

    @classmethod
    def fit(
        cls,
        grids: Sequence[CodeArray],
        *,
        codebook_size: int,
        vectors: NDArray[np.floating] | None = None,
        seed: int = 0,
        samples: int = 1_500_000,
        report: Callable[[float], None] | None = None,
    ) -> Self:
        """Learn from grids of codes, each int64 (S', *positions); the largest S' becomes S.

        vectors: float (S, K, D), the codebooks that the codes point into; with them the prior has
        a network, which looks at `samples` positions for each stage (about 15 seconds a stage for
        1.5 million) and makes payloads smaller. Of the grids of each stage, one in eight is kept
        back: counters and network learn from the others, the mixing of them from it. report: called
        after each stage of the network, which takes nearly all of the time, with the share done.
        """
        stages = check_maps(grids, codebook_size)
        grids = [_as_grid(codes) for codes in grids]
        network = None
        if vectors is not None:
            network = fit_network(grids, vectors, seed=seed, samples=samples, report=report)
        tables = _blank_tables(codebook_size, stages, network)
        for stage in range(stages):
            learned, held = split_grids(grids, stage)
            _start_counters(tables, learned, stage)
            _, by_node, by_class = learn_mixing(held, tables, stage=stage)
            tables.node_weights[stage] = by_node
            tables.class_weights[stage] = by_class
            _start_counters(tables, learned if held is learned else learned + held, stage)
        return cls(tables)

    def encode(self, codes: CodeArray, *, threads: int = 1) -> bytes:
        """Code all stages, in order, each position in row-major order."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        return encode_mixing(_as_grid(codes), self._tables, threads=threads)

    def decode(
        self, payload: bytes, shape: tuple[int, ...], *, backend: str | None = None
    ) -> CodeArray:
        """Read codes of this shape. Raises CorruptPayloadError, InvalidInputError."""
        self.check_shape(shape)
        grid = (shape[0], *_grid_shape(shape[1:]))
        return decode_mixing(payload, grid, self._tables, backend=backend).reshape(shape)

    def stage_bits(self, codes: CodeArray) -> NDArray[np.float64]:
        """Return the information in each stage as the adapting model sees it, float64 (S,)."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        grid = _as_grid(codes)
        stages = range(len(codes))
        return np.array([learn_mixing([grid], self._tables, stage=s)[0] for s in stages])

    def tensors(self) -> Tensors:
        """Return the arrays of the tables by their names; K is that of `embeddings` (S, K, E)."""
        return self._tables.arrays()

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from tensors()."""
        arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
        if "embeddings" not in arrays or arrays["embeddings"].ndim != 3:
            raise InvalidInputError("the prior lacks its tensor 'embeddings' of rank 3")
        try:
            size = arrays["embeddings"].shape[1]
            return cls(MixingTables(codebook_size=size, **arrays))
        except TypeError as error:
            raise InvalidInputError(f"not the tensors of a mixing prior: {error}") from error


def _blank_tables(codebook_size: int, stages: int, network: Network | None) -> MixingTables:
    """Tables of counters that know nothing, with weights that are a fair guess."""
    weights = np.zeros(INPUTS, np.int16)
    weights[: INPUTS // 2 - 1] = 400
    if network is not None:
        weights[: INPUTS // 2 - 1] = 100
        weights[INPUTS - 2] = 2800
    else:
        network = Network.empty(codebook_size, stages, 1, (1, 1))
    return MixingTables(
        codebook_size=codebook_size,
        counters=np.full((stages, TRAINED_VALUES, TRAINED_NODES), 2048 << 4, np.uint16),
        node_weights=np.tile(weights, (stages, TRAINED_NODES, 1)),
        class_weights=np.tile(weights, (stages, CLASS_SETS, 1)),
        **network._asdict(),
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
