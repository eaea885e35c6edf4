"""Codes predicted from their neighbours, bit by bit, by a model that keeps adapting."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec.priors.base import CodeArray, Prior, Tensors, check_codes, check_grids
from vqcodec.priors.network import fit_network, split_grids
from vqcodec_kernels.entropy.mixing import (
    cost_mixing,
    count_mixing,
    decode_mixing,
    encode_mixing,
    learn_mixing,
    sample_mixing,
)
from vqcodec_kernels.entropy.start import INPUTS, MixingStart
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["MixingPrior"]


class MixingPrior(Prior):
    """Adaptive context mixing, started from training: the smallest payloads.

    It asks first whether a code is code 0; only where it is not does its network say which of the
    other codes it expects. It pays most when codebooks are sorted by tree_order, and when code 0 is
    the zero code. Neighbours are those along one to three axes; of more, the first ones are folded
    into one.

    >>> prior = MixingPrior.untrained(codebook_size=256, stages=2)
    >>> codes = np.arange(2 * 40 * 50).reshape(2, 40, 50) // 7 % 5
    >>> payload = prior.encode(codes)
    >>> len(payload)
    102
    >>> np.array_equal(prior.decode(payload, codes.shape), codes)
    True
    """

    mode: ClassVar[int] = 2
    name: ClassVar[str] = "mixing"

    def __init__(self, start: MixingStart) -> None:
        super().__init__(start.codebook_size, start.stages)
        self._start = start

    @classmethod
    def untrained(cls, codebook_size: int, stages: int) -> Self:
        """Return a prior that knows nothing and learns from each grid alone."""
        start = MixingStart.zeros(codebook_size=codebook_size, stages=stages)
        _know_nothing(start, has_network=False)
        return cls(start)

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
        """Learn from grids, each int64 (S', *positions); the largest S' becomes S.

        vectors: float (S, K, D), the codebooks that the codes point into; with them the prior has
        a network, which looks at `samples` positions for each stage (about 15 seconds a stage for
        1.5 million) and makes payloads smaller. Of the grids of each stage, one in eight is kept
        back: counters and network learn from the others, the mixing of them from it. report: called
        after each stage of the network, which takes nearly all of the time, with the share done.
        """
        stages = check_grids(grids, codebook_size)
        grids = [_as_grid(codes) for codes in grids]
        axes = sorted({grid.ndim - 1 for grid in grids})
        if len(axes) > 1:
            raise InvalidInputError(f"grids must have the same number of axes, got {axes}")
        if vectors is None:
            start = MixingStart.zeros(codebook_size=codebook_size, stages=stages)
        else:
            start = fit_network(grids, vectors, seed=seed, samples=samples, report=report)
        _know_nothing(start, has_network=vectors is not None)
        for stage in range(stages):
            learned, held = split_grids(grids, stage)
            _start_counters(start, learned, stage)
            _, by_node, by_class = learn_mixing(held, start, stage=stage)
            start.node_weights[stage] = by_node
            start.class_weights[stage] = by_class
            _start_counters(start, learned if held is learned else learned + held, stage)
        return cls(start)

    def encode(self, codes: CodeArray, *, threads: int = 1) -> bytes:
        """Code all stages, in order, each position in row-major order."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        return encode_mixing(_as_grid(codes), self._start, threads=threads)

    def decode(
        self,
        payload: bytes,
        shape: tuple[int, ...],
        *,
        stages: int | None = None,
        backend: str | None = None,
    ) -> CodeArray:
        """Read codes of this shape, or their first stages.

        Raises CorruptPayloadError, InvalidInputError.
        """
        self.check_shape(shape)
        grid = (shape[0], *_grid_shape(shape[1:]))
        codes = decode_mixing(payload, grid, self._start, stages=stages, backend=backend)
        return codes.reshape(len(codes), *shape[1:])

    def _sample(self, given: CodeArray, seed: int, backend: str | None) -> CodeArray:
        codes = sample_mixing(_as_grid(given), self._start, seed=seed, backend=backend)
        return codes.reshape(given.shape)

    def stage_bits(self, codes: CodeArray) -> NDArray[np.float64]:
        """Return the information in each stage as the adapting model sees it, float64 (S,)."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        grid = _as_grid(codes)
        stages = range(len(codes))
        return np.array([learn_mixing([grid], self._start, stage=s)[0] for s in stages])

    def bits(self, codes: CodeArray) -> NDArray[np.float32]:
        """Return the information in each code as the adapting model sees it, float32."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        return cost_mixing(_as_grid(codes), self._start).reshape(codes.shape)

    def tensors(self) -> Tensors:
        """Return the arrays of the start by their names; K is that of `embeddings` (S, K, E)."""
        return self._start.arrays()

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from tensors()."""
        arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
        if "embeddings" not in arrays or arrays["embeddings"].ndim != 3:
            raise InvalidInputError("the prior lacks its tensor 'embeddings' of rank 3")
        try:
            size = arrays["embeddings"].shape[1]
            return cls(MixingStart(codebook_size=size, **arrays))
        except TypeError as error:
            raise InvalidInputError(f"not the tensors of a mixing prior: {error}") from error


def _know_nothing(start: MixingStart, *, has_network: bool) -> None:
    """Fill in counters that know nothing, and weights that are a fair guess."""
    start.counters[:] = 2048 << 4
    weights = np.zeros(INPUTS, np.int16)
    weights[: INPUTS // 2 - 1] = 100 if has_network else 400
    weights[INPUTS - 2] = 2800 if has_network else 0
    start.node_weights[:] = weights
    start.class_weights[:] = weights


def _grid_shape(positions: tuple[int, ...]) -> tuple[int, ...]:
    """Lay positions of any rank out along one to three axes: leading ones are folded into one."""
    if len(positions) > 3:
        return (math.prod(positions[:-2]), *positions[-2:])
    return positions or (1,)


def _as_grid(codes: CodeArray) -> CodeArray:
    return np.ascontiguousarray(codes).reshape(len(codes), *_grid_shape(codes.shape[1:]))


def _start_counters(start: MixingStart, grids: Sequence[CodeArray], stage: int) -> None:
    """Fill the counters of a stage from how often each bit follows each context in the grids."""
    counts = count_mixing(grids, codebook_size=start.codebook_size, stage=stage)
    total = counts.sum(axis=-1)
    # The first context is the empty one: what a node does everywhere, the guess for rare contexts.
    everywhere = (counts[:1, :, 1] + 0.4) / (total[:1] + 0.8)
    probability = (counts[:, :, 1] + 8 * everywhere) / (total + 8)
    probability[0] = everywhere[0]
    cell = np.clip(np.floor(probability * 4096), 0, 4095).astype(np.uint16)
    trust = np.minimum(total // 8, 12).astype(np.uint16)
    start.counters[stage] = cell << 4 | trust
