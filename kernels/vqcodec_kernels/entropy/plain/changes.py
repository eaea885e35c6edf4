"""The decoder of changes in Python integers: slow, exact, and needs no compiler.

The twin of kernels/csrc/changes/change_model.hpp.
"""

from bisect import bisect_right
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.change_bits import (
    BITS,
    DIFFERENCE,
    FRAME,
    MERGES,
    MOVES,
    SAYS,
    STAGE,
    ChangeBits,
)
from vqcodec_kernels.entropy.plain.range_decoder import RangeDecoder
from vqcodec_kernels.errors import CorruptPayloadError

__all__ = ["PlainChanges"]

_MEMORIES = (1, 16, 40, 70, 110, 160, 210)
_SUMS = (1, 40, 100, 200, 350, 600, 1000)
_COUNTS = (1, 2, 3, 5, 8, 12, 18)
_SIZES = (1, 2, 3, 5, 9, 17, 33)
_CHANGED = (1, 4, 12, 32, 90, 250, 700)
_MOST_MOTION = 31

Ints = NDArray[np.int64]


class _Frame:
    """A frame with one block and one position of room around it."""

    def __init__(self, rows: int, columns: int, stages: int) -> None:
        blocks = (-(-rows // 2) + 2, -(-columns // 2) + 2)
        self.moving = np.zeros(blocks, np.int64)
        self.motion = np.zeros((*blocks, 2), np.int64)
        self.said = np.zeros((rows + 2, columns + 2), np.int64)
        self.codes = np.zeros((stages, rows + 2, columns + 2), np.int64)


class PlainChanges:
    """Reads frames from a payload, one after another."""

    def __init__(
        self,
        payload: bytes,
        rows: int,
        columns: int,
        stages: int,
        codebook_size: int,
        start: Mapping[str, NDArray[np.generic]] | None,
    ) -> None:
        self._extent = (rows, columns, stages)
        self._size, self._depth = codebook_size, (codebook_size - 1).bit_length()
        self._bits = ChangeBits(stages, self._depth, start)
        self._coder = RangeDecoder(payload)
        self._before = self._now = _Frame(*self._extent)
        self._lately = np.zeros_like(self._now.said)
        self._moved = np.zeros_like(self._now.moving)
        self._was_silent = 0

    def next(self) -> tuple[NDArray[np.uint8], NDArray[np.int8], Ints]:
        """The next frame: which blocks move, from where, and codes."""
        rows, columns, _ = self._extent
        self._before, self._now = self._now, _Frame(*self._extent)
        now = self._now
        says = self._bit(FRAME, 0, (self._was_silent,), (0, 0))
        if says:
            for y in range(1, now.moving.shape[0] - 1):
                for x in range(1, now.moving.shape[1] - 1):
                    self._read_block(y, x)
            for y in range(1, rows + 1):
                for x in range(1, columns + 1):
                    self._read_position(y, x)
            if not (now.moving.any() or now.said.any()):
                raise CorruptPayloadError("a frame that says that it says something, and does not")
        self._was_silent = 1 - says
        inner = (slice(1, -1), slice(1, -1))
        for memory, happened in ((self._lately, now.said > 0), (self._moved, now.moving > 0)):
            memory[inner] += 60 * happened[inner] - (memory[inner] >> 2)
        return (
            now.moving[inner].astype(np.uint8),
            now.motion[inner].astype(np.int8),
            now.codes[:, 1:-1, 1:-1].copy(),
        )

    def finish(self) -> None:
        """Check that the payload ends here."""
        self._coder.finish()

    def _bit(
        self,
        kind: int,
        node: int,
        values: tuple[int, ...],
        classes: tuple[int, int],
        level: int = 0,
    ) -> int:
        return self._bits.decode(self._coder, kind, node, level, values, classes)

    def _read_block(self, y: int, x: int) -> None:
        m, p = self._now.moving.tolist(), self._before.moving.tolist()
        w, n, nw, ne, here = m[y][x - 1], m[y - 1][x], m[y - 1][x - 1], m[y - 1][x + 1], p[y][x]
        past = int(self._before.moving[y - 1 : y + 2, x - 1 : x + 2].sum())
        place = slice(2 * y - 1, 2 * y + 1), slice(2 * x - 1, 2 * x + 1)
        memory = _class(int(self._lately[place].max()), _MEMORIES)
        moved = _class(int(self._moved[y, x]), _MEMORIES)
        values = (
            w + 2 * n + 4 * nw + 8 * ne + 16 * here,
            here + 2 * p[y][x + 1] + 4 * p[y + 1][x] + 8 * p[y][x - 1] + 16 * p[y - 1][x],
            memory * 8 + here * 4 + w * 2 + n,
            past * 5 + w + n + nw + ne,
            moved * 3 + w + n,
            0,
        )
        if self._bit(MOVES, 0, values, (moved, min(past, 7))):
            self._now.moving[y, x] = 1
            self._now.motion[y, x] = self._read_motion(y, x)

    def _read_motion(self, y: int, x: int) -> tuple[int, int]:
        now, before = self._now, self._before
        there = [now.moving[y, x - 1], now.moving[y - 1, x], before.moving[y, x]]
        w, n, p = (
            (int(v[0]), int(v[1]))
            for v in (now.motion[y, x - 1], now.motion[y - 1, x], before.motion[y, x])
        )
        offered = list(
            dict.fromkeys(v for v, is_there in zip((w, n, p), there, strict=True) if is_there)
        )[:2]
        sources = int(there[0] + 2 * there[1] + 4 * there[2])
        equal = (w == n) + 2 * (w == p) + 4 * (n == p)
        for i, motion in enumerate(offered):
            if self._bit(MERGES, i, (sources, sources * 8 + equal, 0), (sources, equal)):
                return motion
        near = offered[0] if offered else (0, 0)
        unsure = [_class(abs(a - b), _SIZES) for a, b in zip(w, n, strict=True)]
        dy = self._read_number(0, unsure[0], 0)
        dx = self._read_number(32, unsure[1], _class(abs(dy), _SIZES))
        motion = near[0] + dy, near[1] + dx
        if max(abs(motion[0]), abs(motion[1])) > _MOST_MOTION:
            raise CorruptPayloadError("a block that moves too far")
        if motion in offered:
            raise CorruptPayloadError("a motion that should have been merged")
        return motion

    def _read_number(self, first: int, unsure: int, other: int) -> int:
        def bit(node: int) -> int:
            return self._bit(DIFFERENCE, first + node, (0, unsure, other), (unsure, other))

        if not bit(0):
            return 0
        negative = bit(1)
        below = 0
        while below < 5 and bit(2 + below):
            below += 1
        magnitude = 1
        for i in range(below):
            node = 8 + 4 * below + magnitude
            magnitude = 2 * magnitude + (bit(node) if i < 2 else self._coder.decision(1 << 15))
        return -magnitude if negative else magnitude

    def _read_position(self, y: int, x: int) -> None:
        now, before = self._now, self._before
        by, bx = (y + 1) // 2, (x + 1) // 2
        m = int(now.moving[by, bx])
        said = [int(now.said[y, x - 1]), *(int(now.said[y - 1, x + i]) for i in (0, -1, 1))]
        w, n, nw, ne = (int(count > 0) for count in said)
        past = (before.said[y - 1 : y + 2, x - 1 : x + 2] > 0).astype(int).tolist()
        here, past_count = past[1][1], min(int(before.said[y, x]), 3)
        memory = _class(int(self._lately[y, x]), _MEMORIES)
        memories = _class(int(self._lately[y - 1 : y + 2, x - 1 : x + 2].sum()), _SUMS)
        count = _class(sum(said), _COUNTS)
        down, right = (y - 1) & 1, (x - 1) & 1
        block = right * w + 2 * down * n + 4 * down * (nw if right else ne)
        own = now.motion[by, bx]
        edges = int((own != now.motion[by, bx - 1]).any())
        edges += 2 * int((own != now.motion[by - 1, bx]).any())
        beside = int(now.moving[by, bx - 1] + now.moving[by, bx + 1])
        beside += int(now.moving[by - 1, bx] + now.moving[by + 1, bx])
        around = past[1][2], past[1][0], past[2][1], past[0][1]
        values = (
            w + 2 * n + 4 * nw + 8 * ne + 16 * m + 32 * here,
            here + sum(bit << i for i, bit in enumerate(around, 1)) + 32 * m,
            memory * 8 + memories,
            count * 8 + past_count * 2 + m,
            (2 * down + right) * 16 + block * 2 + m,
            ((m * 4 + edges) * 2 + int(before.moving[by, bx])) * 5 + beside,
            _class(int(np.count_nonzero(before.said)), _CHANGED) * 2 + m,
            ((memory * 4 + w * 2 + n) * 2 + here) * 2 + m,
        )
        if self._bit(SAYS, 0, values, (memories, count)):
            now.said[y, x] = self._read_stages(y, x, m, memory, past_count)

    def _read_stages(self, y: int, x: int, m: int, memory: int, past: int) -> int:
        """Reads the codes of a position; gives how many stages say anything."""
        now, stages = self._now, self._extent[2]
        said_w, said_n = min(int(now.said[y, x - 1]), 7), min(int(now.said[y - 1, x]), 7)
        count = last = 0
        for s in range(stages):
            w, n = int(now.codes[s, y, x - 1]), int(now.codes[s, y - 1, x])
            p = int(self._before.codes[s, y, x])
            follows = int(last != 0)
            heard = 3 * _heard(said_w, w) + _heard(said_n, n)
            values = (
                min(count, 3) * 4 + follows * 2 + m,
                heard * 2 + follows,
                (past * 2 + (p != 0)) * 2 + follows,
                said_w * 8 + said_n,
                memory * 2 + follows,
                self._top(last, 4),
            )
            classes = (memory, min(count, 3) * 2 + follows)
            known = count == 0 and s == stages - 1
            code = 0
            if known or self._bit(STAGE, s, values, classes):
                tops = (self._top(w, 4), self._top(n, 4), self._top(p, 5), self._top(last, 5))
                values = (0, *tops, m + 2 * follows + 4 * (past > 0))
                code = self._read_code(s, values, classes)
                count += 1
            now.codes[s, y, x] = last = code
        return count

    def _read_code(self, stage: int, values: tuple[int, ...], classes: tuple[int, int]) -> int:
        node = 1
        for level in range(self._depth):
            below = self._depth - 1 - level
            if below == 0 and node == 1 << level:
                return 1
            first_of_one = (2 * node + 1 - (2 << level)) << below
            bit = 0
            if first_of_one < self._size:
                bit = self._bit(BITS, (stage << self._depth) + node, values, classes, level)
            node = 2 * node + bit
        return node - (1 << self._depth)

    def _top(self, code: int, bits: int) -> int:
        return 0 if code == 0 else (code >> max(self._depth - bits, 0)) + 1


def _heard(said: int, code: int) -> int:
    """Whether a neighbour said nothing at all, nothing in this stage, or something."""
    return 0 if said == 0 else 1 + (code != 0)


def _class(number: int, limits: tuple[int, ...]) -> int:
    return bisect_right(limits, number)
