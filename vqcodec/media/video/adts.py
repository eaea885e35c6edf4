"""Frames of AAC that carry a header each (ADTS), as transport streams hold them, without it.

ISO/IEC 14496-3: 1.A.2 for the header, 1.6.2 for the configuration that says the same once.
"""

from __future__ import annotations

from vqcodec.errors import InputError

__all__ = ["configuration_of", "without_header"]

_HEADER, _CHECKSUM = 7, 2


def configuration_of(packet: bytes) -> bytes:
    """What the header says, as two bytes that containers write once. Raises: InputError.

    >>> configuration_of(bytes.fromhex("fff14c80013ffc") + b"ab").hex()
    '1190'
    """
    _check(packet)
    kind, rate = (packet[2] >> 6) + 1, packet[2] >> 2 & 15
    channels = (packet[2] & 1) << 2 | packet[3] >> 6
    return (kind << 11 | rate << 7 | channels << 3).to_bytes(2, "big")


def without_header(packet: bytes) -> bytes:
    """The frame behind its header. Raises: InputError.

    >>> without_header(bytes.fromhex("fff14c80013ffc") + b"ab")
    b'ab'
    """
    _check(packet)
    return packet[_HEADER + (0 if packet[1] & 1 else _CHECKSUM) :]


def _check(packet: bytes) -> None:
    if len(packet) < _HEADER or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0 or packet[6] & 3:
        raise InputError(
            f"audio of AAC begins with {packet[:7].hex(' ')}, no header of one frame: leave it out"
        )
