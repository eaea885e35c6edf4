"""Streams that are damaged, cut, too large or nonsense: exit code 1, and nothing changes."""

import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqcodec.bitstream import Chunk, Header, read_stream, write_stream
from vqcodec.bitstream.header import pack_header

RunCli = Callable[..., Any]
Refusal = Callable[..., str]

OLD = b"an older output"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def undecodable(refused: Refusal, run_cli: RunCli) -> Callable[[bytes], str]:
    """Check that info, verify and decode refuse some bytes alike; gives the reason."""

    def check(data: bytes) -> str:
        Path("bad.vqc").write_bytes(data)
        reason = refused(1, "decode", "bad.vqc")
        for command in ("info", "verify"):
            outcome = run_cli(command, "bad.vqc")
            assert (outcome.code, outcome.out) == (1, "")
            assert outcome.err == f"vqcodec: bad.vqc: {reason}\n"
        return reason

    return check


def test_empty_file(undecodable: Callable[[bytes], str]) -> None:
    assert "empty" in undecodable(b"")


def test_every_truncation(refused: Refusal, good: bytes) -> None:
    for length in range(len(good)):
        Path("bad.vqc").write_bytes(good[:length])
        refused(1, "decode", "bad.vqc")


def test_every_flipped_bit(run_cli: RunCli, good: bytes) -> None:
    Path("old.png").write_bytes(OLD)
    for position in range(8 * len(good)):
        data = bytearray(good)
        data[position // 8] ^= 1 << position % 8
        Path("bad.vqc").write_bytes(data)
        outcome = run_cli("decode", "bad.vqc", "-f", "-o", "old.png")
        # A flip may make it a stream of a newer version, never one that decodes.
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1), position
    assert Path("old.png").read_bytes() == OLD


@pytest.mark.parametrize("tail", [b"\0", b"garbage!", b"\n"])
def test_trailing_bytes(undecodable: Callable[[bytes], str], good: bytes, tail: bytes) -> None:
    undecodable(good + tail)


def test_two_streams_in_a_row(undecodable: Callable[[bytes], str], good: bytes) -> None:
    undecodable(good + good)


def test_picture_given_to_decode(undecodable: Callable[[bytes], str], photo: Path) -> None:
    assert "PNG" in undecodable(photo.read_bytes())


@pytest.mark.parametrize(
    ("old", "new"), [(b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\x89", b"\xc2\x89"), (b"\x89", b"\x09")]
)
def test_damage_in_text_mode_is_called_that(
    undecodable: Callable[[bytes], str], good: bytes, old: bytes, new: bytes
) -> None:
    damaged = good[:8].replace(old, new) + good[8:]
    assert damaged != good
    assert "damaged in transfer" in undecodable(damaged)


def test_newer_version(undecodable: Callable[[bytes], str], good: bytes) -> None:
    # The version is the byte behind the magic of six.
    assert "newer" in undecodable(good[:6] + b"\x02" + good[7:])


def header_like(good: bytes, **changes: Any) -> Header:
    header = read_stream(good).header
    return Header(**{**vars(header), **changes})


@pytest.mark.parametrize(("width", "height"), [(2**32 - 1, 2**32 - 1), (65535, 65535), (2**29, 1)])
def test_huge_picture_in_a_tiny_file_is_refused_before_memory_is_taken(
    undecodable: Callable[[bytes], str], good: bytes, width: int, height: int
) -> None:
    data = pack_header(header_like(good, width=width, height=height)) + b"C\x00" + bytes(4)
    assert "pixels" in undecodable(data)
    limited = f'ulimit -v 900000; exec "{sys.executable}" -m vqcodec_cli verify bad.vqc'
    done = subprocess.run(["sh", "-c", limited], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"pixels" in done.stderr


def test_max_pixels_can_be_lowered_and_raised(
    run_cli: RunCli, refused: Refusal, good: bytes
) -> None:
    assert len(good) > 0
    pixels = 53 * 37
    assert "pixels" in refused(1, "decode", "good.vqc", "--max-pixels", pixels - 1)
    assert run_cli("decode", "good.vqc", "-o", "x.png", "--max-pixels", pixels).code == 0
    assert "pixels" in refused(1, "encode", "photo.png", "-m", "tiny", "--max-pixels", pixels - 1)


def test_more_codes_than_the_bytes_can_hold(refused: Refusal, good: bytes) -> None:
    header = header_like(good, width=4096, height=4096, prior_mode=0)
    data = write_stream(header, [], [b"\0"] * header.tiles)
    Path("bad.vqc").write_bytes(data)
    refused(1, "decode", "bad.vqc")


def test_index_outside_the_codebook(refused: Refusal, good: bytes) -> None:
    # The model has 12 codes, and raw indices take 4 bits: 15 is one that does not exist.
    header = header_like(good, prior_mode=0, stages=(1,))
    for payload in (b"\xff" * 18, b"\x00" * 17 + b"\xff"):
        Path("bad.vqc").write_bytes(write_stream(header, [], [payload]))
        refused(1, "decode", "bad.vqc")


def test_stages_that_the_model_does_not_have(refused: Refusal, good: bytes) -> None:
    header = header_like(good, prior_mode=0, stages=(63,))
    Path("bad.vqc").write_bytes(write_stream(header, [], [b"\x00" * (63 * 18)]))
    refused(1, "decode", "bad.vqc")


def test_random_edits_with_right_checksums_never_end_in_a_traceback(
    run_cli: RunCli, good: bytes
) -> None:
    random = np.random.default_rng(5)
    stream = read_stream(good)
    for _ in range(150):
        payload = bytearray(stream.codes[0])
        for _ in range(random.integers(1, 4)):
            payload[random.integers(len(payload))] = random.integers(256)
        cut = payload[: random.integers(len(payload) + 1)] if random.random() < 0.3 else payload
        Path("bad.vqc").write_bytes(write_stream(stream.header, [], [bytes(cut)]))
        outcome = run_cli("decode", "bad.vqc", "-f", "-o", "x.png")
        # Other codes are codes too: such a stream may decode to another picture.
        assert outcome.code in (0, 1)
        assert outcome.err.count("\n") == outcome.code


def test_damaged_metadata_is_refused(undecodable: Callable[[bytes], str], good: bytes) -> None:
    stream = read_stream(good)
    for kind in ("i", "e"):
        chunks = [Chunk(kind, b"\x78\x9c not deflate")]
        undecodable(write_stream(stream.header, chunks, stream.codes))


def test_metadata_bomb_is_refused(undecodable: Callable[[bytes], str], good: bytes) -> None:
    stream = read_stream(good)
    bomb = zlib.compress(bytes(40_000_000), 9)
    undecodable(write_stream(stream.header, [Chunk("e", bomb)], stream.codes))
