"""Training of the integer network of two hidden layers that guesses a code from those around it.

Training is in float32; what comes out is integers, and only those are ever used for coding.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec.priors.deep_perceptron import train_deep_perceptron
from vqcodec.priors.network import (
    HIDDEN_BITS,
    INPUT_BITS,
    LOGIT_BITS,
    embed,
    split_grids,
    stage_samples,
    write_stage,
)
from vqcodec_kernels.entropy.tables import PLACES

__all__ = ["DeepNetwork", "fit_deep_network"]

# The last dimension counts the codes of a place that are not 0.
DIMENSIONS = 32
HIDDEN = (128, 64)
LAYERS = (
    ("first", INPUT_BITS, HIDDEN_BITS),
    ("second", HIDDEN_BITS, HIDDEN_BITS),
    ("output", HIDDEN_BITS, LOGIT_BITS),
)
# A quarter of one, so that a dozen codes stay in the range of the other inputs.
SPOKEN = 64


class DeepNetwork(NamedTuple):
    """The integer arrays of a network, named as in vqcodec_kernels.entropy.deep_tables."""

    embeddings: NDArray[np.int16]
    first_weights: NDArray[np.int16]
    first_biases: NDArray[np.int32]
    second_weights: NDArray[np.int16]
    second_biases: NDArray[np.int32]
    output_weights: NDArray[np.int16]
    output_biases: NDArray[np.int32]
    shifts: NDArray[np.int32]

    @classmethod
    def empty(
        cls, codebook_size: int, stages: int, dimensions: int, hidden: tuple[int, int]
    ) -> Self:
        """Return a network of zeros."""
        first, second = hidden
        return cls(
            np.zeros((stages, codebook_size, dimensions), np.int16),
            np.zeros((stages, first, PLACES * dimensions), np.int16),
            np.zeros((stages, stages, first), np.int32),
            np.zeros((stages, second, first), np.int16),
            np.zeros((stages, second), np.int32),
            np.zeros((stages, codebook_size, second), np.int16),
            np.zeros((stages, codebook_size), np.int32),
            np.zeros((stages, 3), np.int32),
        )


def fit_deep_network(
    grids: Sequence[NDArray[np.int64]],
    vectors: NDArray[np.floating],
    *,
    seed: int = 0,
    samples: int = 3_000_000,
    report: Callable[[float], None] | None = None,
) -> DeepNetwork:
    """Train a network for each stage on code grids, int64 (S', H, W); the largest S' becomes S.

    Of the grids, those that `split_grids` keeps back are not looked at.

    vectors: float (S, K, D), the codebooks; samples: how many positions to look at for each stage,
    repetitions counted; report: called after each stage with the share done. Raises
    InvalidInputError.
    """
    embeddings = _embed(grids, vectors)
    stages, size, dimensions = embeddings.shape
    network = DeepNetwork.empty(size, stages, dimensions, HIDDEN)
    network.embeddings[:] = embeddings
    for stage in range(stages):
        learned, _ = split_grids(grids, stage)
        rates = np.repeat([len(grid) - 1 for grid in learned], [grid[0].size for grid in learned])
        perceptron = train_deep_perceptron(
            stage_samples(learned, embeddings, stage),
            rates,
            size=size,
            hidden=HIDDEN,
            most_rates=stages,
            count=samples,
            seed=seed + stage,
        )
        write_stage(perceptron, network, stage, LAYERS)
        if report is not None:
            report((stage + 1) / stages)
    return network


def _embed(grids: Sequence[NDArray[np.int64]], vectors: NDArray[np.floating]) -> NDArray[np.int16]:
    """The projected codes, and a last dimension that is the same for every code but 0."""
    projected = embed(grids, vectors, dimensions=DIMENSIONS - 1)
    spoken = np.full((*projected.shape[:2], 1), SPOKEN, np.int16)
    spoken[:, 0] = 0
    return np.ascontiguousarray(np.concatenate([projected, spoken], axis=2))
