"""What inspect tells about a stream, and that it needs neither a model nor torch."""

import dataclasses
import subprocess
import sys
import zlib
from typing import Any

import pytest

from vqcodec.bitstream import Chunk, Header, Limits, write_stream
from vqcodec.errors import ChecksumError, CorruptError, LimitError, UnsupportedVersionError
from vqcodec.stream_info import StreamInfo, inspect

HEADER = Header(
    medium=0,
    extent=(40, 1100),
    channels=2,
    stages=10,
    prior=1,
    fingerprint=b"\xde\xad\xbe\xef\x00\x01\x02\x03",
    regions=2,
)
SIDE = [
    Chunk("i", zlib.compress(bytes(1000))),
    Chunk("e", zlib.compress(b"MM\x00*")),
    Chunk("A", b"\x00\x80"),
    Chunk("z", b"later"),
]


def test_everything_is_told() -> None:
    data = write_stream(HEADER, SIDE, [b"left", b"right"])
    assert inspect(data) == StreamInfo(
        format_version=1,
        medium="picture",
        extent={"height": 40, "width": 1100},
        channels=2,
        stages=10,
        prior="static",
        fingerprint="deadbeef00010203",
        regions=2,
        file_bytes=len(data),
        code_bytes=9,
        facts={
            "bpp": len(data) * 8 / 44000,
            "alpha_bytes": 2,
            "icc_bytes": 1000,
            "exif_bytes": 4,
        },
        other_chunks="z",
    )


def test_what_is_absent_is_told_as_absent() -> None:
    changes: dict[str, Any] = {"extent": (1, 1), "channels": 1, "prior": 0, "regions": 1}
    header = dataclasses.replace(HEADER, **changes)
    data = write_stream(header, [], [b"x"])
    info = inspect(memoryview(data))
    assert info.facts == {"bpp": 8 * len(data), "alpha_bytes": 0, "icc_bytes": 0, "exif_bytes": 0}
    assert (info.regions, info.prior, info.other_chunks) == (1, "raw", "")


def test_damage_anywhere_is_noticed() -> None:
    data = bytearray(write_stream(HEADER, SIDE, [b"left", b"right"]))
    data[-5] ^= 0x10
    with pytest.raises(ChecksumError, match="code chunk 1"):
        inspect(data)


@pytest.mark.parametrize("chunk", [Chunk("i", b"bad"), Chunk("e", b"")])
def test_metadata_that_makes_no_sense_is_noticed(chunk: Chunk) -> None:
    with pytest.raises(CorruptError):
        inspect(write_stream(HEADER, [SIDE[2], chunk], [b"left", b"right"]))


@pytest.mark.parametrize("number", [6, 15])
def test_an_unknown_medium_is_for_later(number: int) -> None:
    header = dataclasses.replace(HEADER, medium=number)
    with pytest.raises(UnsupportedVersionError, match=f"medium {number} needs a newer vqcodec"):
        inspect(write_stream(header, SIDE, [b"left", b"right"]))


@pytest.mark.parametrize("changes", [{"extent": (44000,)}, {"channels": 5}, {"channels": 3}])
def test_what_is_no_picture_is_refused(changes: dict[str, Any]) -> None:
    header = dataclasses.replace(HEADER, **changes)
    with pytest.raises(CorruptError, match="picture"):
        inspect(write_stream(header, SIDE, [b"left", b"right"]))


def test_limits_apply() -> None:
    data = write_stream(HEADER, SIDE, [b"left", b"right"])
    with pytest.raises(LimitError):
        inspect(data, Limits(max_samples=43999))
    with pytest.raises(LimitError):
        inspect(data, Limits(max_metadata_bytes=999))


def test_the_bitstream_does_not_load_torch() -> None:
    script = (
        "import sys, vqcodec.bitstream, vqcodec.media.picture.alpha; "
        "sys.exit('torch' in sys.modules or 'PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
