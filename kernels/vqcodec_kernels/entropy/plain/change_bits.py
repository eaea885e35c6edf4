"""What is learned of the decisions of changes, in NumPy integers.

The twin of kernels/csrc/changes/{decisions,change_bits}.hpp.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.logistic import MAX_LOGIT, logistic_tables
from vqcodec_kernels.entropy.plain.range_decoder import RangeDecoder

__all__ = ["BITS", "DIFFERENCE", "FRAME", "MERGES", "MOVES", "SAYS", "STAGE", "ChangeBits"]

FRAME, MOVES, MERGES, DIFFERENCE, SAYS, STAGE, BITS = range(7)

_VALUES = (
    (2,),
    (32, 32, 64, 50, 24, 1),
    (8, 64, 1),
    (1, 8, 8),
    (64, 64, 64, 64, 64, 80, 16, 128),
    (16, 18, 16, 64, 16, 17),
    (1, 17, 17, 33, 33, 8),
)
_CLASSES = 8
# A logit and a confidence for each of 15 contexts, a constant, and one that is always 0.
_CONTEXTS, _INPUTS = 15, 32
_FIRST_WEIGHT, _MAX_WEIGHT, _MAX_LAST = 7000, 1 << 22, 1 << 20
_LIMIT = 255


class ChangeBits:
    """Counters of every context and decision, and the mixers that weigh them."""

    def __init__(
        self, stages: int, depth: int, start: Mapping[str, NDArray[np.generic]] | None
    ) -> None:
        self._stages, self._depth = stages, depth
        self._nodes = (1, 1, 2, 64, 1, stages, stages << depth)
        self._first: list[list[int]] = []
        total = 0
        for values, nodes in zip(_VALUES, self._nodes, strict=True):
            self._first.append([])
            for count in values:
                self._first[-1].append(total)
                total += count * nodes
        steps, groups = 69 + stages * (1 + depth), 7 + depth
        sizes = (steps, groups * _CLASSES, groups * _CLASSES)
        self._probability = np.full(total, 1 << 21, np.int64)
        self._count = np.zeros(total, np.int64)
        one = np.zeros(_INPUTS, np.int64)
        one[:_CONTEXTS] = _FIRST_WEIGHT
        self._weights = [np.tile(one, (size, 1)) for size in sizes]
        self._uses = [np.zeros(size, np.int64) for size in sizes]
        self._last = np.full((steps, 3), (1 << 16) // 3, np.int64)
        self._logistic = logistic_tables()
        if start is not None:
            self._start(start)

    def _start(self, start: Mapping[str, NDArray[np.generic]]) -> None:
        stored = start["counters"].astype(np.int64)
        weights, uses = start["weights"].astype(np.int64), start["uses"].astype(np.int64)
        learned = [*self._weights, self._last]
        if (len(stored), len(weights), len(uses)) != (
            len(self._probability),
            sum(part.size for part in learned),
            sum(part.size for part in self._uses),
        ):
            raise ValueError("the start is one of other codebooks")
        self._probability = (stored >> 4 << 10) + (1 << 9)
        self._count = stored & 15
        begin = 0
        for part in learned:
            taken = weights[begin : begin + part.size].clip(-_MAX_WEIGHT, _MAX_WEIGHT)
            part[...] = taken.reshape(part.shape)
            begin += part.size
        begin = 0
        for part in self._uses:
            part[...] = uses[begin : begin + part.size]
            begin += part.size

    def decode(
        self,
        coder: RangeDecoder,
        kind: int,
        node: int,
        level: int,
        values: Sequence[int],
        classes: tuple[int, int],
    ) -> int:
        """Read a decision and learn from it."""
        squash, count = self._logistic.squash, len(_VALUES[kind])
        slots = np.array(
            [
                first + value * self._nodes[kind] + node
                for first, value in zip(self._first[kind], values, strict=True)
            ]
        )
        probability, trust = self._probability[slots], self._count[slots]
        cell = probability >> 10
        inputs = np.zeros(_INPUTS, np.int64)
        inputs[:count] = self._logistic.stretch[cell]
        inputs[_CONTEXTS : _CONTEXTS + count] = ((cell - 2048) * np.minimum(trust, 16)) >> 4
        inputs[2 * _CONTEXTS] = 256
        step, group = self._step(kind, node, level), (kind + level) * _CLASSES
        chosen = (step, group + classes[0], group + classes[1])
        sets = [weights[row] for weights, row in zip(self._weights, chosen, strict=True)]
        logits = np.array([_clamp(int(inputs @ weights)) for weights in sets])
        one = int(squash[_clamp(int(logits @ self._last[step])) + MAX_LOGIT])
        bit = coder.decision(one)
        self._learn(inputs, chosen, logits, (bit << 16) - one, bit)
        aim = (1 << 22) - 1 if bit else 0
        rates = 131072 // (2 * trust + 3)
        self._probability[slots] = probability + ((aim - probability) * rates >> 16)
        self._count[slots] = np.minimum(trust + 1, _LIMIT)
        return bit

    def _learn(
        self,
        inputs: NDArray[np.int64],
        chosen: tuple[int, int, int],
        logits: NDArray[np.int64],
        error: int,
        bit: int,
    ) -> None:
        for weights, uses, row, logit in zip(
            self._weights, self._uses, chosen, logits, strict=True
        ):
            rate = 16 + 96 * 32 // (32 + uses[row])
            own = ((bit << 16) - self._logistic.squash[logit + MAX_LOGIT]) * rate >> 4
            weights[row] = (weights[row] + _rounded(inputs * own)).clip(-_MAX_WEIGHT, _MAX_WEIGHT)
            uses[row] = min(uses[row] + 1, 255)
        last = self._last[chosen[0]]
        last[:] = (last + _rounded(logits * error)).clip(-_MAX_LAST, _MAX_LAST)

    def _step(self, kind: int, node: int, level: int) -> int:
        if kind == BITS:
            return 69 + self._stages + (node >> self._depth) * self._depth + level
        return (0, 1, 2 + node, 4 + node, 68, 69 + node)[kind]


def _rounded(products: NDArray[np.int64]) -> NDArray[np.int64]:
    return (products + (1 << 17)) >> 18


def _clamp(total: int) -> int:
    return max(-MAX_LOGIT, min(MAX_LOGIT, total >> 16))
