"""The decoder of the mixing model in NumPy integers: slow, exact, and needs no compiler.

The twin of kernels/csrc/entropy/{contexts,counters,mixer,mixing}.hpp: the same codes from the same
bytes, and from the same seed.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.logistic import MAX_LOGIT, logistic_tables
from vqcodec_kernels.entropy.plain.neighbours import BEFORE, SAME
from vqcodec_kernels.entropy.plain.network import Network
from vqcodec_kernels.entropy.plain.random_bits import RandomBits
from vqcodec_kernels.entropy.plain.range_decoder import RangeDecoder
from vqcodec_kernels.entropy.start import CLASS_SETS, INPUTS, TRAINED_NODES, MixingStart

__all__ = ["decode_mixing", "sample_mixing"]

# fmt: off
_SIZES = np.array([1, 33, 33, 33, 33, 42, 257, 257, 257, 257,
                   289, 1024, 257, 257, 257, 289, 1024, 1024, 1024, 1024])
# fmt: on
_CONTEXTS = len(_SIZES)
_TRAINED = 6
_MAX_SLOTS = 1 << 18
_LIMIT = 255
_LEARNING_SHIFT = 18
_MAX_WEIGHT = 1 << 22
_ZERO_CLASSES = 7
_CLASSES = CLASS_SETS // _ZERO_CLASSES
_RATES = np.array([131072 // (2 * n + 3) for n in range(_LIMIT + 1)], np.int64)

IntArray = NDArray[np.int64]


def decode_mixing(
    payload: bytes, shape: tuple[int, ...], start: MixingStart, stages: int
) -> IntArray:
    """Read the first stages of codes of this shape, (S, *positions). Raises CorruptPayloadError."""
    coder = RangeDecoder(payload)
    codes = np.full((stages, *shape[1:]), -1, np.int64)
    _read(codes, start, coder, shape)
    if stages == shape[0]:
        coder.finish()
    return codes


def sample_mixing(given: IntArray, start: MixingStart, seed: int) -> IntArray:
    """Draw the codes of given, (S, *positions), that are below 0; the others stay."""
    codes = given.copy()
    _read(codes, start, RandomBits(seed), codes.shape)
    return codes


class _Coder(Protocol):
    """What bits come from."""

    def decision(self, one: int) -> int: ...


class _Known:
    """The bits of a code that is known."""

    def __init__(self, code: int, size: int) -> None:
        self._bits = _bits_of(code, size)

    def decision(self, one: int) -> int:
        return next(self._bits)


def _bits_of(code: int, size: int) -> Iterator[int]:
    """Whether it is another one than 0, then its bits but for those that are known before."""
    yield int(code > 0)
    depth = (size - 1).bit_length()
    for below in reversed(range(depth)):
        # With a 1 here, what was read so far must be able to begin a code.
        if ((code >> below) | 1) << below < size:
            yield code >> below & 1


def _read(codes: IntArray, start: MixingStart, coder: _Coder, shape: tuple[int, ...]) -> None:
    """Fill in the codes, (stages, *positions), that are below 0, one after the other."""
    network = Network(start, shape)
    for stage in range(len(codes)):
        model = _Stage(start, stage)
        for place in np.ndindex(shape[1:]):
            values, zeros = _contexts(codes, model.depth, stage, place)
            there = int(codes[stage, *place])
            source = coder if there < 0 else _Known(there, start.codebook_size)
            code = model.decode(source, values, zeros, network.logits(stage, place))
            codes[stage, *place] = code
            network.add(stage, place, code)


class _Stage:
    """Counters and mixers of one stage, from where training left them."""

    def __init__(self, start: MixingStart, stage: int) -> None:
        self.depth = (start.codebook_size - 1).bit_length()
        self._size = start.codebook_size
        whole = _SIZES << self.depth
        slots = np.minimum(whole, _MAX_SLOTS)
        self._hashed = whole > _MAX_SLOTS
        self._first = np.concatenate([[0], np.cumsum(slots)[:-1]])
        self._probability = np.full(int(slots.sum()), 1 << 21, np.int64)
        self._count = np.zeros(int(slots.sum()), np.int64)
        self._load_counters(start.counters[stage].astype(np.int64))
        self._by_node = start.node_weights[stage].astype(np.int64) << 4
        self._by_class = start.class_weights[stage].astype(np.int64) << 4
        logistic = logistic_tables()
        self._squash = logistic.squash.tolist()
        self._stretch = logistic.stretch

    def decode(self, coder: _Coder, values: IntArray, zeros: int, logits: list[int]) -> int:
        """Read one code, bit by bit, and learn from each bit."""
        if self._size == 1 or not self._decode_bit(coder, values, 0, 0, zeros, logits[0]):
            return 0
        node = 1
        for level in range(self.depth):
            below = self.depth - 1 - level
            if below == 0 and node == 1 << level:
                return 1
            bit = 0
            if (2 * node + 1 - (2 << level)) << below < self._size:
                bit = self._decode_bit(coder, values, level + 1, node, zeros, logits[node])
            node = 2 * node + bit
        return node - (1 << self.depth)

    def _decode_bit(
        self, coder: _Coder, values: IntArray, step: int, node: int, zeros: int, guess: int
    ) -> int:
        place = (values << self.depth) + node
        place = np.where(self._hashed, (place * 0x9E3779B1 & 0xFFFFFFFF) >> 14, place)
        slots = self._first + place
        probability, count = self._probability[slots], self._count[slots]
        cell = probability >> 10
        inputs = np.empty(INPUTS, np.int64)
        inputs[:_CONTEXTS] = self._stretch[cell]
        inputs[_CONTEXTS : 2 * _CONTEXTS] = ((cell - 2048) * np.minimum(count, 16)) >> 4
        inputs[-2:] = guess, 256
        sets = (
            self._by_node[node >> max(step - 8, 0)],
            self._by_class[min(step, _CLASSES - 1) * _ZERO_CLASSES + zeros],
        )
        mixed = [_clamp(int(inputs @ weights) >> 16) for weights in sets]
        bit = coder.decision(self._squash[(sum(mixed) >> 1) + MAX_LOGIT])
        for weights, logit in zip(sets, mixed, strict=True):
            error = (bit << 16) - self._squash[logit + MAX_LOGIT]
            weights += (inputs * error + (1 << (_LEARNING_SHIFT - 1))) >> _LEARNING_SHIFT
            np.clip(weights, -_MAX_WEIGHT, _MAX_WEIGHT, out=weights)
        target = (1 << 22) - 1 if bit else 0
        self._probability[slots] = probability + ((target - probability) * _RATES[count] >> 16)
        self._count[slots] = np.minimum(count + 1, _LIMIT)
        return bit

    def _load_counters(self, stored: IntArray) -> None:
        """Trained counters hold 12 bits of probability above 4 bits of count."""
        nodes = np.arange(min(TRAINED_NODES, 1 << self.depth))
        row = 0
        for first, size in zip(self._first[:_TRAINED], _SIZES[:_TRAINED], strict=True):
            places = first + (np.arange(size)[:, None] << self.depth) + nodes
            cells = stored[row : row + size, nodes]
            self._probability[places] = (cells >> 4 << 10) + (1 << 9)
            self._count[places] = cells & 15
            row += size


def _clamp(logit: int) -> int:
    return max(-MAX_LOGIT, min(MAX_LOGIT, logit))


def _hash(a: int, b: int) -> int:
    mixed = (a * 0x9E3779B1) ^ ((b + 0x7F4A7C15) * 0x85EBCA6B)
    return ((mixed & 0xFFFFFFFF) * 0xC2B2AE35 & 0xFFFFFFFF) >> 22


def _contexts(
    codes: IntArray, depth: int, stage: int, place: tuple[int, ...]
) -> tuple[IntArray, int]:
    """Return the values of all contexts of a code, and how many of its six neighbours are zero."""

    def at(stage: int, offset: tuple[int, ...]) -> int:
        there = tuple(p + o for p, o in zip(place, offset, strict=True))
        inside = stage >= 0 and all(
            0 <= p < size for p, size in zip(there, codes.shape[1:], strict=True)
        )
        return int(codes[stage, *there]) if inside else -1

    def top(code: int, bits: int) -> int:
        return 0 if code < 0 else (code >> max(depth - bits, 0)) + 1

    same = [at(stage, offset) for offset in SAME[len(place)]]
    before = [at(stage - 1, offset) for offset in BEFORE[len(place)]]
    (w, n, nw, ne, _, _), (p, pe, ps, pw, pn) = same, before
    p2, p3 = (at(stage - back, (0,) * len(place)) for back in (2, 3))
    zeros = same.count(0)
    across = top(w, 4) * 17 + top(n, 4)
    around = top(pe, 3) * 9 + top(ps, 3)
    values = [0, top(w, 5), top(n, 5), top(p, 5), top(p2, 5), zeros * 6 + before.count(0)]
    values += [top(code, 8) for code in (w, n, nw, ne)]
    values += [across, _hash(top(w, 3) * 9 + top(n, 3), top(nw, 3) * 9 + top(ne, 3))]
    values += [top(code, 8) for code in (p, p2, p3)]
    values += [top(p, 4) * 17 + top(p2, 4), _hash(top(p, 12), across), _hash(around, top(p, 3))]
    values += [_hash(top(w, 12), top(n, 12)), _hash(around, top(pw, 3) * 9 + top(pn, 3))]
    return np.array(values, np.int64), zeros
