"""Unsigned integers in one to five bytes: small ones short, each in exactly one way."""

from typing import Protocol, overload

from vqcodec.errors import CorruptError, InputError, TruncatedError

__all__ = ["MAX_VARINT", "Readable", "append_varint", "read_varint"]

MAX_VARINT = 2**32 - 1
_MAX_BYTES = 5


class Readable(Protocol):
    """Bytes, or what is read like them from a file."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...


def append_varint(out: bytearray, value: int) -> None:
    """Append a value to a buffer, seven bits a byte, low bits first.

    value: in [0, 2**32 - 1]. The high bit of a byte says that another one follows.
    Raises: InputError for a value outside that range.
    """
    if not 0 <= value <= MAX_VARINT:
        raise InputError(f"a varint holds 0 to {MAX_VARINT}, got {value}")
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)


def read_varint(data: Readable, start: int, what: str) -> tuple[int, int]:
    """Read the integer that starts at an offset; return it and the offset behind it.

    what: the field's name, for the message of an error.
    Raises: TruncatedError if the data ends inside it; CorruptError if it is written with more
    bytes than it needs, or does not fit in 32 bits.
    """
    value = 0
    for index in range(_MAX_BYTES):
        if start + index >= len(data):
            raise TruncatedError(f"the data ends inside {what} at byte {start + index}")
        byte = data[start + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            # A second spelling of one number would let two different files mean the same.
            if byte == 0 and index > 0:
                raise CorruptError(f"{what} at byte {start} is written with more bytes than needed")
            if value > MAX_VARINT:
                break
            return value, start + index + 1
    raise CorruptError(f"{what} at byte {start} does not fit in 32 bits")
