"""The decoder of the entropy coder in Python integers: slow, exact, and needs no compiler.

An independent implementation of what kernels/csrc/entropy writes: the same codes from the same
bytes, and the same refusals.
"""

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.random_bits import RandomBits
from vqcodec_kernels.errors import CorruptPayloadError

__all__ = ["RangeDecoder", "decode_decisions", "decode_symbols", "sample_symbols"]

_ONE = 1 << 32
_MIN_RANGE = 1 << 24


class RangeDecoder:
    """Reads intervals from a payload, a number in [0, 1) in base 256; see range_coder.hpp.

    Invariant between calls: 0 <= offset < range, 2^24 <= range < 2^32, settled <= len(payload).
    """

    def __init__(self, payload: bytes) -> None:
        self._digits = payload
        self._low = 0
        self._range = _ONE - 1
        self._offset = int.from_bytes(payload[:4].ljust(4, b"\0"), "big")
        self._settled = 0
        if self._offset >= self._range:
            raise CorruptPayloadError("payload begins with a number no encoder writes")

    def target(self, bits: int) -> int:
        """Return the t in [0, 2^bits) that the payload points at."""
        return (((self._offset + 1) << bits) - 1) // self._range

    def consume(self, begin: int, end: int, bits: int) -> None:
        """Take the interval [begin, end) of 2^bits, which must hold the target."""
        self._narrow(self._range * begin >> bits, self._range * end >> bits)

    def decision(self, one: int) -> int:
        """Read a bit; one is the probability of 1 in units of 2^-16, in [1, 65535]."""
        bound = self._range * one >> 16
        if self._offset < bound:
            self._narrow(0, bound)
            return 1
        self._narrow(bound, self._range)
        return 0

    def finish(self) -> None:
        """Check that the payload ends here, exactly as an encoder ends it."""
        if self._low == 0:
            offset, digits = 0, 0
        elif self._low + self._range > _ONE:
            offset, digits = _ONE - self._low, 0
        else:
            offset, digits = -self._low % _MIN_RANGE, 1
        if len(self._digits) > self._settled + digits:
            raise CorruptPayloadError("bytes left after the last code")
        if len(self._digits) < self._settled + digits:
            raise CorruptPayloadError("payload ends before its last code")
        if self._offset != offset:
            raise CorruptPayloadError("payload does not end as an encoder ends it")

    def _narrow(self, start: int, stop: int) -> None:
        self._low = (self._low + start) % _ONE
        self._offset -= start
        self._range = stop - start
        while self._range < _MIN_RANGE:
            if self._settled == len(self._digits):
                raise CorruptPayloadError("payload ends before its last code")
            digit = self._digits[self._settled + 4 : self._settled + 5]
            self._offset = self._offset << 8 | int.from_bytes(digit, "big")
            self._low = (self._low << 8) % _ONE
            self._range <<= 8
            self._settled += 1


def decode_symbols(
    payload: bytes, cumulative: NDArray[np.uint32], bits: int, columns: int, rows: int
) -> NDArray[np.int64]:
    """Read columns symbols through each of the first rows of cumulative, (R, K + 1)."""
    coder = RangeDecoder(payload)
    symbols = np.empty((rows, columns), np.int64)
    for row, table in zip(symbols, cumulative[:rows].tolist(), strict=True):
        for i in range(columns):
            symbol = bisect_right(table, coder.target(bits)) - 1
            coder.consume(table[symbol], table[symbol + 1], bits)
            row[i] = symbol
    if rows == len(cumulative):
        coder.finish()
    return symbols


def sample_symbols(
    given: NDArray[np.int64], cumulative: NDArray[np.uint32], bits: int, seed: int
) -> NDArray[np.int64]:
    """Draw the symbols of given, (R, N), that are below 0, each by its row of cumulative."""
    random = RandomBits(seed)
    symbols = given.copy()
    for row, table in zip(symbols, cumulative.tolist(), strict=True):
        for i in np.flatnonzero(row < 0):
            row[i] = bisect_right(table, random.draw(bits)) - 1
    return symbols


def decode_decisions(payload: bytes, ones: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Read one bit for each probability in ones, (N,); returns (N,)."""
    coder = RangeDecoder(payload)
    bits = np.array([coder.decision(one) for one in ones.tolist()], np.uint8)
    coder.finish()
    return bits
