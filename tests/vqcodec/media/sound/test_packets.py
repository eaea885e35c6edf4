"""Packets within containers: by known layouts, and beside ffmpeg's own count."""

import shutil
import struct
import subprocess

import numpy as np
import pytest

from vqcodec.errors import CorruptError
from vqcodec.media.sound.packets import adts_packets, ogg_packets, opus_packets


def page(*pieces: tuple[int, bytes]) -> bytes:
    """A page of Ogg: segments of said lengths with their bytes."""
    lengths = bytes(length for length, _ in pieces)
    header = b"OggS" + struct.pack("<BBqIII", 0, 0, 0, 7, 0, 0) + bytes([len(lengths)])
    return header + lengths + b"".join(data for _, data in pieces)


def test_packets_go_on_over_segments_and_pages() -> None:
    long, exact = bytes(range(255)) * 2 + b"end", bytes(255)
    data = page((3, b"one"), (255, long[:255])) + page((255, long[255:510]), (3, b"end"))
    data += page((255, exact), (0, b""), (0, b""))
    assert ogg_packets(data) == [b"one", long, exact, b""]
    assert ogg_packets(b"") == []


@pytest.mark.parametrize("cut", [5, 27, 30, -1])
def test_cut_pages_are_told(cut: int) -> None:
    data = page((3, b"one"), (4, b"four"))
    with pytest.raises(CorruptError, match="Ogg"):
        ogg_packets(data[:cut])


def test_only_opus_is_opus() -> None:
    head, tags = b"OpusHead" + bytes(11), b"OpusTags" + bytes(8)
    data = page((19, head)) + page((16, tags)) + page((2, b"ab"), (1, b"c"))
    assert opus_packets(data) == [b"ab", b"c"]
    with pytest.raises(CorruptError, match="not Ogg Opus"):
        opus_packets(page((2, b"ab")))


def adts(payload: bytes, *, checksum: bool = False) -> bytes:
    length = 7 + 2 * checksum + len(payload)
    head = [0xFF, 0xF0 if checksum else 0xF1, 0x58, 0x40 | length >> 11, length >> 3 & 0xFF]
    return bytes([*head, (length & 7) << 5 | 0x1F, 0xFC]) + bytes(2 * checksum) + payload


def test_headers_of_adts_do_not_count() -> None:
    payloads = [b"", b"abc", bytes(3000)]
    data = b"".join(
        adts(p, checksum=c) for p, c in zip(payloads, (False, True, False), strict=True)
    )
    assert adts_packets(data) == payloads
    for broken in (data[:-1], data[:3], b"\x00" + data, data + b"x"):
        with pytest.raises(CorruptError, match="ADTS"):
            adts_packets(broken)


def ffmpeg(*arguments: str, data: bytes) -> bytes:
    command = ["ffmpeg", "-loglevel", "error", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize(
    ("coder", "format", "packets"),
    [("libopus", "ogg", opus_packets), ("aac", "adts", adts_packets)],
)
def test_ffmpeg_takes_the_same_bytes_out_of_its_containers(
    coder: str, format: str, packets: object
) -> None:
    assert callable(packets)
    noise = np.random.default_rng(0).normal(0, 3000, 48000).astype("<i2").tobytes()
    raw = ("-f", "s16le", "-ar", "24000", "-ac", "1", "-i", "pipe:0")
    file = ffmpeg(*raw, "-c:a", coder, "-b:a", "24k", "-f", format, "pipe:1", data=noise)
    demuxer = {"ogg": "ogg", "adts": "aac"}[format]
    bare = ("-bsf:a", "aac_adtstoasc") if format == "adts" else ()
    copy = ("-i", "pipe:0", "-map", "0", "-c", "copy", *bare, "-f", "data", "pipe:1")
    copied = ffmpeg("-f", demuxer, *copy, data=file)
    assert b"".join(packets(file)) == copied
