"""What inspect tells about a stream, and that it needs neither a model nor torch."""

import subprocess
import sys

import pytest

from vqcodec.bitstream import Chunk, Header, Limits, write_stream
from vqcodec.errors import ChecksumError, CorruptError, LimitError
from vqcodec.media.picture.chunks import pack_metadata, pack_model_name
from vqcodec.stream_info import StreamInfo, inspect

HEADER = Header(
    width=1100,
    height=40,
    channels=2,
    stages=(3, 10),
    prior_mode=1,
    fingerprint=b"\xde\xad\xbe\xef\x00\x01\x02\x03",
)
SIDE = [
    *pack_metadata(icc=bytes(1000), exif=b"MM\x00*"),
    Chunk("A", b"\x00\x80"),
    pack_model_name("photo"),
    Chunk("z", b"later"),
]


def test_everything_is_told() -> None:
    data = write_stream(HEADER, SIDE, [b"left", b"right"])
    assert inspect(data) == StreamInfo(
        format_version=1,
        kind="picture",
        width=1100,
        height=40,
        channels=2,
        stages=(3, 10),
        prior="static",
        fingerprint="deadbeef00010203",
        model_name="photo",
        tiles=2,
        file_bytes=len(data),
        code_bytes=9,
        alpha_bytes=2,
        icc_bytes=1000,
        exif_bytes=4,
        other_chunks="z",
        bits_per_pixel=len(data) * 8 / 44000,
    )


def test_what_is_absent_is_told_as_absent() -> None:
    header = Header(width=1, height=1, channels=1, stages=(1,), prior_mode=0, fingerprint=bytes(8))
    info = inspect(memoryview(write_stream(header, [], [b"x"])))
    assert (info.model_name, info.alpha_bytes, info.icc_bytes, info.exif_bytes) == (None, 0, 0, 0)
    assert (info.tiles, info.prior, info.other_chunks) == (1, "raw", "")


def test_damage_anywhere_is_noticed() -> None:
    data = bytearray(write_stream(HEADER, SIDE, [b"left", b"right"]))
    data[-5] ^= 0x10
    with pytest.raises(ChecksumError, match="code chunk 1"):
        inspect(data)


@pytest.mark.parametrize("chunk", [Chunk("i", b"bad"), Chunk("e", b""), Chunk("n", b"\xff")])
def test_metadata_that_makes_no_sense_is_noticed(chunk: Chunk) -> None:
    with pytest.raises(CorruptError):
        inspect(write_stream(HEADER, [SIDE[2], chunk], [b"left", b"right"]))


def test_limits_apply() -> None:
    data = write_stream(HEADER, SIDE, [b"left", b"right"])
    with pytest.raises(LimitError):
        inspect(data, Limits(max_pixels=43999))
    with pytest.raises(LimitError):
        inspect(data, Limits(max_metadata_bytes=999))


def test_the_bitstream_does_not_load_torch() -> None:
    script = (
        "import sys, vqcodec.bitstream, vqcodec.media.picture.alpha; "
        "sys.exit('torch' in sys.modules or 'PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
