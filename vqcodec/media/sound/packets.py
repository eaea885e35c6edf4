"""The packets of codecs within their containers, whose bytes alone are a codec's rate."""

from __future__ import annotations

from vqcodec.errors import CorruptError

__all__ = ["adts_packets", "ogg_packets", "opus_packets"]

_OGG_HEADER = 27
_ADTS_HEADER, _ADTS_CHECKSUM = 7, 2


def ogg_packets(data: bytes) -> list[bytes]:
    """The packets of an Ogg file with one stream, headers of the codec among them (RFC 3533).

    Raises:
        CorruptError: it is cut, or not Ogg.

    >>> page = b"OggS" + bytes(22) + b"\\x02\\x03\\x01" + b"abcd"
    >>> ogg_packets(page)
    [b'abc', b'd']
    """
    packets, open_packet, at = [], b"", 0
    while at < len(data):
        segments = data[at + _OGG_HEADER - 1 : at + _OGG_HEADER]
        if data[at : at + 4] != b"OggS" or not segments:
            raise CorruptError(f"no page of Ogg at byte {at}")
        lengths = data[at + _OGG_HEADER : at + _OGG_HEADER + segments[0]]
        at += _OGG_HEADER + segments[0]
        if len(lengths) < segments[0] or at + sum(lengths) > len(data):
            raise CorruptError(f"a page of Ogg is cut at byte {len(data)}")
        for length in lengths:
            open_packet += data[at : at + length]
            at += length
            # A packet goes on after a full segment, on the next page if need be.
            if length < 255:
                packets.append(open_packet)
                open_packet = b""
    return packets


def opus_packets(data: bytes) -> list[bytes]:
    """The packets of sound in an Ogg Opus file, without its two headers (RFC 7845)."""
    packets = ogg_packets(data)
    heads = [packet[:8] for packet in packets[:2]]
    if heads != [b"OpusHead", b"OpusTags"]:
        raise CorruptError(f"not Ogg Opus: it begins with {heads}")
    return packets[2:]


def adts_packets(data: bytes) -> list[bytes]:
    """The packets of an AAC stream, without the headers of ADTS (ISO/IEC 13818-7, 6.2).

    Raises:
        CorruptError: it is cut, or not ADTS.

    >>> adts_packets(bytes([0xFF, 0xF1, 0x58, 0x40, 0x01, 0x3F, 0xFC]) + b"ab")
    [b'ab']
    """
    packets, at = [], 0
    while at < len(data):
        head = data[at : at + _ADTS_HEADER]
        if len(head) < _ADTS_HEADER or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            raise CorruptError(f"no header of ADTS at byte {at}")
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        header = _ADTS_HEADER + (0 if head[1] & 1 else _ADTS_CHECKSUM)
        if not header <= length <= len(data) - at:
            raise CorruptError(f"a frame of ADTS is cut, or of {length} bytes, at byte {at}")
        packets.append(data[at + header : at + length])
        at += length
    return packets
