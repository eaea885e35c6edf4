"""The model of residuals in NumPy integers.

The twin of kernels/csrc/predict/{residual_model,residual_mixer}.hpp.
"""

import numpy as np

from vqcodec_kernels.entropy.plain.logistic import MAX_LOGIT, logistic_tables
from vqcodec_kernels.entropy.plain.range_decoder import RangeDecoder
from vqcodec_kernels.entropy.plain.surroundings import (
    ERROR_CLASSES,
    SIZES,
    TEXTURE_CLASSES,
    Contexts,
)

__all__ = ["ResidualModel"]

_CONTEXTS = len(SIZES)
_INPUTS = 2 * _CONTEXTS + 1
_NODES = 256
_FIRST_BITS = 32
_KINDS = 8
_MOST_BELOW = 30
_COUNTER_LIMIT = 127
_FIRST_WEIGHT = 7000
_MAX_WEIGHT, _MAX_LAST = 1 << 22, 1 << 20
_SHIFT = 18


class ResidualModel:
    """Counters of every context and decision, and the mixers that weigh them."""

    def __init__(self) -> None:
        self._first = np.cumsum([0, *(size * _NODES for size in SIZES[:-1])])
        total = sum(SIZES) * _NODES
        self._probability = np.full(total, 1 << 21, np.int64)
        self._count = np.zeros(total, np.int64)
        start = np.zeros(_INPUTS, np.int64)
        start[:_CONTEXTS] = _FIRST_WEIGHT
        sets = (_NODES, ERROR_CLASSES * _KINDS, TEXTURE_CLASSES * _KINDS)
        self._weights = [np.tile(start, (count, 1)) for count in sets]
        self._uses = [np.zeros(count, np.int64) for count in sets]
        self._last = np.full((_NODES, len(sets)), (1 << 16) // len(sets), np.int64)
        self._logistic = logistic_tables()

    def decode(self, coder: RangeDecoder, contexts: Contexts) -> int:
        """Read one residual and learn from it."""
        if not self._decode_bit(coder, contexts, 0, 0):
            return 0
        negative = self._decode_bit(coder, contexts, 1, 1)
        below = 0
        while below < _MOST_BELOW and self._decode_bit(
            coder, contexts, min(2 + below, 5), min(2 + below, _FIRST_BITS - 1)
        ):
            below += 1
        magnitude = 1
        for i in range(below):
            if i < 3:
                node = _FIRST_BITS + 8 * min(below, 27) + magnitude
                bit = self._decode_bit(coder, contexts, 6 if i == 0 else 7, node)
            else:
                bit = coder.decision(1 << 15)
            magnitude = 2 * magnitude + bit
        return -magnitude if negative else magnitude

    def _decode_bit(self, coder: RangeDecoder, contexts: Contexts, kind: int, node: int) -> int:
        squash = self._logistic.squash
        slots = self._first + np.array(contexts.values) * _NODES + node
        probability, count = self._probability[slots], self._count[slots]
        cell = probability >> 10
        inputs = np.empty(_INPUTS, np.int64)
        inputs[:_CONTEXTS] = self._logistic.stretch[cell]
        inputs[_CONTEXTS:-1] = ((cell - 2048) * np.minimum(count, 16)) >> 4
        inputs[-1] = 256
        chosen = (node, contexts.error * _KINDS + kind, contexts.texture * _KINDS + kind)
        sets = [weights[row] for weights, row in zip(self._weights, chosen, strict=True)]
        logits = np.array([_clamp(int(inputs @ weights)) for weights in sets])
        one = int(squash[_clamp(int(logits @ self._last[node])) + MAX_LOGIT])
        bit = coder.decision(one)
        target = bit << 16
        for weights, uses, row, logit in zip(sets, self._uses, chosen, logits, strict=True):
            rate = 16 + 96 * 32 // (32 + uses[row])
            error = (target - squash[logit + MAX_LOGIT]) * rate >> 4
            weights += _rounded(inputs * error)
            np.clip(weights, -_MAX_WEIGHT, _MAX_WEIGHT, out=weights)
            uses[row] = min(uses[row] + 1, 255)
        self._last[node] += _rounded(logits * (target - one))
        np.clip(self._last[node], -_MAX_LAST, _MAX_LAST, out=self._last[node])
        aim = (1 << 22) - 1 if bit else 0
        rates = 131072 // (2 * count + 3)
        self._probability[slots] = probability + ((aim - probability) * rates >> 16)
        self._count[slots] = np.minimum(count + 1, _COUNTER_LIMIT)
        return bit


def _rounded(
    products: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return (products + (1 << (_SHIFT - 1))) >> _SHIFT


def _clamp(total: int) -> int:
    return max(-MAX_LOGIT, min(MAX_LOGIT, total >> 16))
