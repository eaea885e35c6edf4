"""Tables of a stream to bytes and back: ranks, and coefficients of the linear prediction."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import CorruptError, kernels_refuse
from vqcodec.media.array.integers import Coding
from vqcodec.media.packing import Reader, Writer
from vqcodec_kernels.entropy.fields import COEFFICIENTS, decode_field, encode_field

__all__ = ["coefficient_bytes", "read_coefficients", "read_table", "table_bytes"]

_MOST_RANKS = 65536
_PLAIN, _FIELD = 0, 1
# The prediction 2 W - WW.
_STRAIGHT = np.zeros(COEFFICIENTS, np.int16)
_STRAIGHT[:, 0] = -4096


def table_bytes(coding: Coding) -> bytes:
    """The words of ranks: as a field that goes straight on, or plain where they are too far apart.

    Empty where there are no ranks.
    """
    table = coding.table
    if not table.size:
        return b""
    out = Writer()
    lowest, highest = int(table[0]), int(table[-1])
    out.number(len(table))
    out.number(lowest % (1 << 64))
    out.number(highest - lowest)
    above = (table.view(np.uint64) - np.uint64(lowest % (1 << 64))).astype(np.uint64)
    if highest - lowest <= 1 << 29:
        out.data += encode_field(
            above.astype(np.int64), lowest=0, highest=highest - lowest, coefficients=_STRAIGHT
        )[0]
    else:
        gaps = np.diff(above).astype("<u8").view(np.uint8).reshape(-1, 8)
        out.data += zlib.compress(gaps.T.tobytes(), 9)
    return bytes(out.data)


@kernels_refuse()
def read_table(data: bytes) -> NDArray[np.int64]:
    """Read the words of ranks. Raises: CorruptError."""
    read = Reader(data, "the table of ranks")
    count, lowest, span = read.number(), read.number(), read.number()
    if not 2 <= count <= _MOST_RANKS or not count <= span + 1 <= 1 << 64:
        raise read.corrupt(f"has {count} ranks over {span}")
    if span <= 1 << 29:
        above = decode_field(
            read.rest(), (count,), lowest=0, highest=span, coefficients=_STRAIGHT
        ).astype(np.uint64)
    else:
        above = _from_gaps(read, count)
    rising = bool((above[1:] > above[:-1]).all())
    if not rising or int(above[0]) != 0 or int(above[-1]) != span:
        raise read.corrupt("does not rise")
    words = (above + np.uint64(lowest)).view(np.int64)
    if not (words[1:] > words[:-1]).all():
        raise read.corrupt("does not rise")
    return words


def _from_gaps(read: Reader, count: int) -> NDArray[np.uint64]:
    from vqcodec.media.packing import inflate

    planes = inflate(read.rest(), 8 * (count - 1), "the table of ranks")
    gaps = np.frombuffer(planes, np.uint8).reshape(8, -1).T.copy().view("<u8").reshape(-1)
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(gaps, dtype=np.uint64)])


def coefficient_bytes(coefficients: NDArray[np.int16]) -> bytes:
    """Coefficients, rows of zeros left out: a byte that says which rows there are, then these."""
    there = [row for row in range(len(coefficients)) if coefficients[row].any()]
    width = {0: 9, 1: 18, 2: 27, 3: 27}
    rows = b"".join(coefficients[row, : width[row]].astype("<i2").tobytes() for row in there)
    return bytes([sum(1 << row for row in there)]) + rows


def read_coefficients(data: bytes) -> NDArray[np.int16]:
    """Read coefficients. Raises: CorruptError."""
    read = Reader(data, "the chunk of coefficients")
    there = read.byte()
    if there > 15:
        raise CorruptError(f"the chunk of coefficients has rows {there}")
    found = np.zeros(COEFFICIENTS, np.int16)
    for row in range(COEFFICIENTS[0]):
        if there >> row & 1:
            width = {0: 9, 1: 18, 2: 27, 3: 27}[row]
            found[row, :width] = np.frombuffer(read.raw(2 * width), "<i2")
    read.finish()
    return found
