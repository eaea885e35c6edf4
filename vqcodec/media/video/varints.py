"""Numbers below 2^64 and signed ones as bytes: seven bits a byte, low bits first."""

from __future__ import annotations

from vqcodec.errors import CorruptError

__all__ = ["append_number", "append_signed", "read_number", "read_signed"]

_MOST_BYTES = 10


def append_number(out: bytearray, value: int) -> None:
    """Append a number, 0 to 2^64 - 1.

    >>> out = bytearray()
    >>> append_number(out, 300)
    >>> out.hex()
    'ac02'
    """
    assert 0 <= value < 2**64, value
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)


def append_signed(out: bytearray, value: int) -> None:
    """Append a signed number: 0, -1, 1, -2 and so on as 0, 1, 2, 3.

    >>> out = bytearray()
    >>> append_signed(out, -2)
    >>> out.hex()
    '03'
    """
    append_number(out, 2 * value if value >= 0 else -2 * value - 1)


def read_number(data: bytes, place: int, what: str) -> tuple[int, int]:
    """The number that stands at an offset, and the offset behind it.

    Raises: CorruptError: the bytes end within it, it has more of them than it needs, or is 2^64 or
    more.

    >>> read_number(bytes.fromhex("ac02"), 0, "a number")
    (300, 2)
    """
    value = 0
    for index in range(_MOST_BYTES):
        if place + index >= len(data):
            raise CorruptError(f"the bytes end within {what}")
        byte = data[place + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if (byte == 0 and index > 0) or value >= 2**64:
                break
            return value, place + index + 1
    raise CorruptError(f"{what} is written with more bytes than it needs, or 2**64 or more")


def read_signed(data: bytes, place: int, what: str) -> tuple[int, int]:
    """The signed number at an offset, and the offset behind it. Raises: as `read_number`.

    >>> read_signed(bytes([3]), 0, "a number")
    (-2, 1)
    """
    number, place = read_number(data, place, what)
    return (-(number + 1) // 2 if number % 2 else number // 2), place
