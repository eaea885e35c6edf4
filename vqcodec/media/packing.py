"""Numbers to bytes and back, for what stands inside the chunks of media without a model."""

from __future__ import annotations

import struct
import zlib

from vqcodec.errors import CorruptError

__all__ = ["Reader", "Writer", "inflate"]

_MAX_BITS = 64


class Writer:
    """Bytes that grow.

    >>> out = Writer()
    >>> out.number(300)
    >>> out.part(b"ab")
    >>> bytes(out.data)
    b'\\xac\\x02\\x02ab'
    """

    def __init__(self) -> None:
        self.data = bytearray()

    def byte(self, value: int) -> None:
        """Append a number below 256."""
        self.data.append(value)

    def number(self, value: int) -> None:
        """Append a number below 2^64, seven bits a byte, low bits first."""
        while value > 0x7F:
            self.data.append(0x80 | value & 0x7F)
            value >>= 7
        self.data.append(value)

    def real(self, value: float) -> None:
        """Append a float64."""
        self.data += struct.pack("<d", value)

    def part(self, data: bytes) -> None:
        """Append bytes behind their number."""
        self.number(len(data))
        self.data += data


class Reader:
    """Reads what a `Writer` wrote, and nothing else: every method raises CorruptError."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._at, self._what = data, 0, what

    def byte(self) -> int:
        """The next byte."""
        return self.raw(1)[0]

    def number(self) -> int:
        """The next number, which has no more bytes than it needs."""
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if (byte == 0 and shift > 7) or value >> _MAX_BITS:
                    raise self.corrupt("holds a number that no encoder writes")
                return value
            if shift > _MAX_BITS:
                raise self.corrupt("holds a number that no encoder writes")

    def real(self) -> float:
        """The next float64."""
        return float(struct.unpack("<d", self.raw(8))[0])

    def part(self) -> bytes:
        """The next bytes, which stand behind their number."""
        return self.raw(self.number())

    def raw(self, count: int) -> bytes:
        """So many bytes."""
        end = self._at + count
        if end > len(self._data):
            raise self.corrupt("ends early")
        found = self._data[self._at : end]
        self._at = end
        return found

    def rest(self) -> bytes:
        """All that is left."""
        return self.raw(len(self._data) - self._at)

    def finish(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._data):
            raise self.corrupt(f"has {len(self._data) - self._at} bytes too many")

    def corrupt(self, why: str) -> CorruptError:
        """The error for what is read."""
        return CorruptError(f"{self._what} {why}")


def inflate(data: bytes, size: int, what: str) -> bytes:
    """Decompress to exactly so many bytes, in no more memory. Raises: CorruptError."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, size + 1)
    except zlib.error as error:
        raise CorruptError(f"{what} is no zlib stream: {error}") from error
    if len(found) != size or not stream.eof or stream.unused_data:
        raise CorruptError(f"{what} does not inflate to {size} bytes")
    return found
