"""The network of the mixing model; the twin of kernels/csrc/entropy/network.hpp."""

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.logistic import MAX_LOGIT, logistic_tables
from vqcodec_kernels.entropy.plain.neighbours import PLACES
from vqcodec_kernels.entropy.start import MAX_ACTIVATION, MixingStart

__all__ = ["Network"]


class Network:
    """Guesses codes of a grid (S, *positions) from the sums of the embeddings of nine places."""

    def __init__(self, start: MixingStart, shape: tuple[int, ...]) -> None:
        self._start = start
        self._rate = shape[0] - 1
        self._totals = np.zeros((*shape[1:], start.embeddings.shape[2]), np.int64)

    def logits(self, stage: int, place: tuple[int, ...]) -> list[int]:
        """Return the logit of bit 1 at each node of the tree; 0 where a bit is known."""
        t = self._start
        around = [self._total(np.add(place, offset)) for offset in PLACES[len(place)]]
        places = np.clip(np.concatenate(around), -MAX_ACTIVATION, MAX_ACTIVATION)
        one, two, three = t.shifts[stage].tolist()
        first = _layer(t.first_weights[stage], t.first_biases[stage, self._rate], places)
        second = _layer(t.second_weights[stage], t.second_biases[stage], _activate(first, one))
        sums = _layer(t.output_weights[stage], t.output_biases[stage], _activate(second, two))
        other = max(-MAX_LOGIT, min(MAX_LOGIT, int(sums[0]) >> three))
        drops = (sums[1:].max(initial=-(1 << 40)) - sums[1:]) >> three
        return [other, *_node_logits(drops)]

    def add(self, stage: int, place: tuple[int, ...], code: int) -> None:
        """Tell that the code of a stage at a place is now known."""
        self._totals[place] += self._start.embeddings[stage, code]

    def _total(self, place: NDArray[np.int64]) -> NDArray[np.int64]:
        """What is known of a place, which is nothing outside the grid."""
        extent, dimensions = self._totals.shape[:-1], self._totals.shape[-1]
        if not ((place >= 0) & (place < extent)).all():
            return np.zeros(dimensions, np.int64)
        total: NDArray[np.int64] = self._totals[tuple(place)]
        return total


def _layer(
    weights: NDArray[np.int16], biases: NDArray[np.int32], x: NDArray[np.int64]
) -> NDArray[np.int64]:
    sums: NDArray[np.int64] = weights.astype(np.int64) @ x + biases
    return sums


def _activate(sums: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
    units: NDArray[np.int64] = np.clip(sums >> shift, 0, MAX_ACTIVATION)
    return units


def _node_logits(drops: NDArray[np.int64]) -> list[int]:
    """Turn drops below the likeliest of the codes 1, 2, .. into logits of the nodes 1, 2, ..

    A node's logit is that of bit 1; 0 where a bit is known.
    """
    leaves = 1 << len(drops).bit_length()
    masses = np.zeros(2 * leaves, np.int64)
    near = logistic_tables().decay[np.clip(drops, 0, MAX_LOGIT)]
    masses[leaves + 1 :][: len(drops)] = np.where(drops > MAX_LOGIT, 1, near)
    level = leaves // 2
    while level:
        children = masses[2 * level : 4 * level].reshape(-1, 2)
        masses[level : 2 * level] = children.sum(axis=1)
        level //= 2
    stretch = logistic_tables().stretch
    logits = [0] * (leaves - 1)
    for node in range(1, leaves):
        one = int(masses[2 * node + 1])
        total = one + int(masses[2 * node])
        if total:
            logits[node - 1] = int(stretch[min((one << 12) // total, 4095)])
    return logits
