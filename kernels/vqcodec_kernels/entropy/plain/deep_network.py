"""The deep network of the mixing model; the twin of kernels/csrc/entropy/deep_network.hpp."""

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.deep_tables import DeepTables
from vqcodec_kernels.entropy.plain.logistic import MAX_LOGIT
from vqcodec_kernels.entropy.plain.network import node_logits
from vqcodec_kernels.entropy.tables import MAX_ACTIVATION

__all__ = ["DeepNetwork"]


class DeepNetwork:
    """Guesses codes of a map (S, H, W) from the sums of the embeddings of nine places."""

    def __init__(self, tables: DeepTables, shape: tuple[int, int, int]) -> None:
        self._tables = tables
        self._rate = shape[0] - 1
        self._totals = np.zeros((shape[1] + 2, shape[2] + 2, tables.embeddings.shape[2]), np.int64)

    def logits(self, stage: int, y: int, x: int) -> list[int]:
        """Return the logit of bit 1 at each node of the tree; 0 where a bit is known."""
        t = self._tables
        places = np.clip(self._totals[y : y + 3, x : x + 3], -MAX_ACTIVATION, MAX_ACTIVATION)
        one, two, three = t.shifts[stage].tolist()
        first = _layer(t.first_weights[stage], t.first_biases[stage, self._rate], places.ravel())
        second = _layer(t.second_weights[stage], t.second_biases[stage], _activate(first, one))
        sums = _layer(t.output_weights[stage], t.output_biases[stage], _activate(second, two))
        # Output 0 does not compare codes.
        sums[1:] = sums[1:].max(initial=-(1 << 40)) - sums[1:]
        logits = node_logits(sums >> three, zero_first=False, zero_mass=False)
        logits[0] = max(-MAX_LOGIT, min(MAX_LOGIT, int(sums[0]) >> three))
        return logits

    def add(self, stage: int, y: int, x: int, code: int) -> None:
        """Tell that code (stage, y, x) is now known."""
        self._totals[y + 1, x + 1] += self._tables.embeddings[stage, code]


def _layer(
    weights: NDArray[np.int16], biases: NDArray[np.int32], x: NDArray[np.int64]
) -> NDArray[np.int64]:
    sums: NDArray[np.int64] = weights.astype(np.int64) @ x + biases
    return sums


def _activate(sums: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
    units: NDArray[np.int64] = np.clip(sums >> shift, 0, MAX_ACTIVATION)
    return units
