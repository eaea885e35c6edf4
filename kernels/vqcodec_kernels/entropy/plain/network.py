"""The integer network of the mixing model; the twin of kernels/csrc/entropy/network.hpp."""

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.logistic import MAX_LOGIT, logistic_tables
from vqcodec_kernels.entropy.tables import MAX_ACTIVATION, MixingTables

__all__ = ["Network", "node_logits"]


class Network:
    """Guesses codes from the sums of the embeddings of the nine places around them."""

    def __init__(self, tables: MixingTables, height: int, width: int) -> None:
        self._tables = tables
        self._totals = np.zeros((height + 2, width + 2, tables.embeddings.shape[2]), np.int64)

    def logits(self, stage: int, y: int, x: int) -> list[int]:
        """Return the logit of bit 1 at each node of the tree; 0 where a bit is known."""
        t = self._tables
        places = np.clip(self._totals[y : y + 3, x : x + 3], -MAX_ACTIVATION, MAX_ACTIVATION)
        first, second = t.shifts[stage].tolist()
        sums = t.hidden_weights[stage].astype(np.int64) @ places.ravel() + t.hidden_biases[stage]
        hidden = np.clip(sums >> first, 0, MAX_ACTIVATION)
        sums = t.output_weights[stage].astype(np.int64) @ hidden + t.output_biases[stage]
        return node_logits((sums.max() - sums) >> second, zero_first=t.zero_first)

    def add(self, stage: int, y: int, x: int, code: int) -> None:
        """Tell that code (stage, y, x) is now known."""
        self._totals[y + 1, x + 1] += self._tables.embeddings[stage, code]


def node_logits(drops: NDArray[np.int64], *, zero_first: bool, zero_mass: bool = True) -> list[int]:
    """Turn drops below the likeliest code into the logit of bit 1 at each node of the tree.

    0 where a bit is known. zero_first: node 0 is the choice between the zero code and all others.
    zero_mass: whether the zero code is one of the codes at all.
    """
    leaves = 1 << (len(drops) - 1).bit_length()
    masses = np.zeros(2 * leaves, np.int64)
    near = logistic_tables().decay[np.clip(drops, 0, MAX_LOGIT)]
    masses[leaves:][: len(drops)] = np.where(drops > MAX_LOGIT, 1, near)
    if not zero_mass:
        masses[leaves] = 0
    if zero_first:
        masses[0], masses[leaves] = masses[leaves], 0
    level = leaves // 2
    while level:
        children = masses[2 * level : 4 * level].reshape(-1, 2)
        masses[level : 2 * level] = children.sum(axis=1)
        level //= 2
    stretch = logistic_tables().stretch
    logits = [0] * leaves
    for node in range(leaves):
        one = int(masses[2 * node + 1])
        total = one + int(masses[2 * node])
        if total:
            logits[node] = int(stretch[min((one << 12) // total, 4095)])
    return logits
