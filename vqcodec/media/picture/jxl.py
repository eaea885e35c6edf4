"""How large a JPEG XL picture is, from its first bytes.

Pillow's plug-in decodes all of it before it can be asked.
"""

import struct

from vqcodec.errors import InputError

__all__ = ["is_jxl", "jxl_size"]

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
# ISO/IEC 18181-1, SizeHeader: bits of a side by its selector, and width to height by its number.
_SIDE_BITS = (9, 13, 18, 30)
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def is_jxl(data: bytes) -> bool:
    """Whether a file begins as JPEG XL does, in a container or without one."""
    return data.startswith((_CODESTREAM, _CONTAINER))


def jxl_size(data: bytes) -> tuple[int, int]:
    """Return width and height as the codestream has them, before any orientation.

    Raises: InputError if the file ends before it says.
    """
    start = 2 + (_find_codestream(data) if data.startswith(_CONTAINER) else 0)
    head = data[start : start + 12]
    if data[start - 2 : start] != _CODESTREAM or len(head) < 12:
        raise InputError("the JPEG XL picture is damaged or cut off")
    bits = _Bits(int.from_bytes(head, "little"))
    small = bits.take(1)
    height = _take_side(bits, small)
    ratio = bits.take(3)
    if ratio == 0:
        return _take_side(bits, small), height
    across, down = _RATIOS[ratio]
    return height * across // down, height


class _Bits:
    """Bits of a number, the lowest first."""

    def __init__(self, number: int) -> None:
        self._number = number

    def take(self, count: int) -> int:
        taken = self._number & ((1 << count) - 1)
        self._number >>= count
        return taken


def _take_side(bits: _Bits, small: int) -> int:
    """Read one side: of at most 256 in steps of eight, or any."""
    if small:
        return 8 * (1 + bits.take(5))
    return 1 + bits.take(_SIDE_BITS[bits.take(2)])


def _find_codestream(data: bytes) -> int:
    """Return where the codestream, or the first part of it, begins in a container."""
    start = 0
    while start + 16 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        if kind in (b"jxlc", b"jxlp"):
            # A part has its number first.
            return int(start + head + (4 if kind == b"jxlp" else 0))
        if size < head:
            break
        start += size
    raise InputError("the JPEG XL picture is damaged or cut off")
