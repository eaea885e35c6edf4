"""From one sample rate to another: a windowed sinc, the same numbers whatever part is asked for.

Sample n of the result lies at n * source / target of the source, so that both begin together and
nothing is delayed. Where the rates are a fraction of small numbers, a frame of so many samples
becomes one of so many others by one matrix; always as many frames are multiplied at a time, since a
matrix product of another shape may round in another way. Other rates take each sample's weights
from a table, on the straight line between two of its rows.

Julius O. Smith, "Digital Audio Resampling", ccrma.stanford.edu/~jos/resample.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Resampler"]

# Zero crossings of the sinc on each side, at the lower of both rates; where it begins to fall, as a
# share of the lower Nyquist frequency; the window's shape. What folds over is 100 dB down, what is
# below nine tenths of the lower Nyquist frequency stays within 0.001 dB.
_CROSSINGS = 64
_CUTOFF = 0.95
_BETA = 10.06
_FRAME = 64
_BLOCK = 8192
_LARGEST_MATRIX = 2**19
_TABLE_ROWS = 4096
_LARGEST_GATHER = 2**17

Samples = NDArray[np.float32]
# Samples of the source from one place to another, float (n, C), those beyond its ends included.
Read = Callable[[int, int], Samples]


class Resampler:
    """Samples at `source` a second to samples at `target` a second.

    Attributes:
        reach: samples of the source on each side that a sample of the result is made of.

    >>> resampler = Resampler(48000, 24000)
    >>> resampler.count(9), resampler.needed(2, 4)
    (5, (-123, 135))
    """

    def __init__(self, source: int, target: int) -> None:
        divisor = math.gcd(source, target)
        self._up, self._down = target // divisor, source // divisor
        self.reach = math.ceil(_CROSSINGS * max(1.0, self._down / self._up))
        repeat = -(-_FRAME // self._up)
        self._given, self._taken = repeat * self._up, repeat * self._down
        self._seen = (self._given - 1) * self._down // self._up + 2 * self.reach
        self._frames = max(1, _BLOCK // self._given)
        self._has_matrix = self._seen * self._given <= _LARGEST_MATRIX
        self._weights = self._matrix() if self._has_matrix else self._table()

    def count(self, samples: int) -> int:
        """How many samples so many of the source become."""
        return -(-samples * self._up // self._down)

    def complete(self, samples: int) -> int:
        """How many samples can be made of so many of the source, before its end is known."""
        return max(0, -(-(samples - self.reach) * self._up // self._down))

    def needed(self, start: int, stop: int) -> tuple[int, int]:
        """Where the samples of the source lie that a part of the result is made of."""
        first, last = (n * self._down // self._up for n in (start, stop - 1))
        return first - self.reach + 1, last + self.reach + 1

    def window(self, start: int, stop: int, read: Read) -> Samples:
        """A part of the result, float32 (stop - start, C)."""
        if not self._has_matrix:
            return self._by_table(start, stop, read)
        block = self._frames * self._given
        blocks = range(start // block, -(-stop // block))
        whole = np.concatenate([self._by_matrix(number, read) for number in blocks])
        return whole[start - blocks.start * block : stop - blocks.start * block]

    def _by_matrix(self, block: int, read: Read) -> Samples:
        """A block of frames: its shape is always the same."""
        first = block * self._frames * self._taken - self.reach + 1
        seen = read(first, first + (self._frames - 1) * self._taken + self._seen)
        frames = np.lib.stride_tricks.sliding_window_view(seen, self._seen, axis=0)
        rows = frames[:: self._taken].astype(np.float64).reshape(-1, self._seen)
        made = (rows @ self._weights).reshape(self._frames, -1, self._given)
        return made.swapaxes(1, 2).reshape(self._frames * self._given, -1).astype(np.float32)

    def _by_table(self, start: int, stop: int, read: Read) -> Samples:
        made, width = [], 2 * self.reach
        step = max(1, _LARGEST_GATHER // width)
        for begin in range(start, stop, step):
            places = np.arange(begin, min(stop, begin + step)) * self._down
            first, last = self.needed(begin, min(stop, begin + step))
            windows = np.lib.stride_tricks.sliding_window_view(read(first, last), width, axis=0)
            rows, share = self._rows_of(places % self._up)
            weights = self._weights[rows]
            weights += share * (self._weights[rows + 1] - weights)
            seen = windows[places // self._up - self.reach + 1 - first]
            made.append(np.einsum("nct,nt->nc", seen, weights).astype(np.float32))
        return np.concatenate(made)

    def _rows_of(self, rest: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The row of the table at or before each place, and how far behind it the place lies."""
        place = rest * (len(self._weights) - 1)
        return place // self._up, (place % self._up / self._up)[:, None]

    def _matrix(self) -> NDArray[np.float64]:
        """What a frame is multiplied by: (samples seen, samples given)."""
        matrix = np.zeros((self._seen, self._given))
        firsts, rests = np.divmod(np.arange(self._given) * self._down, self._up)
        for n, (first, weights) in enumerate(
            zip(firsts, self._kernels(rests / self._up), strict=True)
        ):
            matrix[first : first + 2 * self.reach, n] = weights
        return matrix

    def _table(self) -> NDArray[np.float64]:
        """Weights for places between two samples of the source, from the one to the other."""
        rows = max(8, _TABLE_ROWS * _CROSSINGS // self.reach)
        return self._kernels(np.arange(rows + 1) / rows)

    def _kernels(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of the samples around places behind the middle one, a row each; its sum is 1."""
        away = np.arange(2 * self.reach) - (self.reach - 1) - places[:, None]
        cutoff = _CUTOFF * min(1.0, self._up / self._down)
        window = np.i0(_BETA * np.sqrt(np.maximum(0, 1 - (away / self.reach) ** 2)))
        weights: NDArray[np.float64] = np.sinc(cutoff * away) * window
        weights /= weights.sum(axis=1, keepdims=True)
        return weights
