"""Streams that are damaged, cut, too large or nonsense: exit code 1, and nothing changes."""

import dataclasses
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqcodec.bitstream import Chunk, Header, Stream, write_stream
from vqcodec.bitstream.header import pack_header
from vqcodec.grid import count_regions
from vqcodec.media.registry import read_any_stream

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


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"medium": 14}, "medium 14 needs a newer vqcodec, or the file is damaged"),
        ({"medium": 15}, "medium 15 needs a newer vqcodec, or the file is damaged"),
        ({"extent": (5,)}, "a picture has 2 axes"),
        ({"extent": (5, 6, 7)}, "a picture has 2 axes"),
        ({"channels": 5}, "1 to 4 channels"),
        ({"channels": 4}, "lacks its alpha chunk"),
    ],
)
def test_what_is_no_picture_by_its_own_words(
    undecodable: Callable[[bytes], str], good: bytes, changes: dict[str, Any], why: str
) -> None:
    assert why in undecodable(stream_like(good, **changes))


def test_parts_that_are_for_later(undecodable: Callable[[bytes], str], good: bytes) -> None:
    # The prior is the second byte behind the version; the number of regions ends the header.
    prior = bytearray(pack_header(read(good).header)[:-4])
    prior[8] = 3
    assert undecodable(seal(prior)) == "prior 3 of a picture needs a newer vqcodec"
    regions = bytearray(pack_header(read(good).header)[:-4])
    regions[-1] = 0
    assert undecodable(seal(regions)) == "a stream of open length needs a newer vqcodec"


@pytest.mark.parametrize("regions", [2, 5])
def test_regions_that_the_model_does_not_cut(refused: Refusal, good: bytes, regions: int) -> None:
    codes = read(good).codes * regions
    Path("bad.vqc").write_bytes(write_stream(header_like(good, regions=regions), [], codes))
    reason = refused(1, "decode", "bad.vqc")
    assert reason == f"says {regions} regions, its model cuts such a signal into 1"


def read(data: bytes) -> Stream:
    return read_any_stream(data)[1]


def header_like(good: bytes, **changes: Any) -> Header:
    return dataclasses.replace(read(good).header, **changes)


def stream_like(good: bytes, **changes: Any) -> bytes:
    return write_stream(header_like(good, **changes), [], read(good).codes)


def seal(header: bytearray) -> bytes:
    """A whole header of these fields, with the checksum that is right for them."""
    return bytes(header) + zlib.crc32(header).to_bytes(4, "little")


@pytest.mark.parametrize("extent", [(2**32 - 1, 2**32 - 1), (65535, 65535), (1, 2**29)])
def test_huge_picture_in_a_tiny_file_is_refused_before_memory_is_taken(
    undecodable: Callable[[bytes], str], good: bytes, extent: tuple[int, int]
) -> None:
    data = pack_header(header_like(good, extent=extent)) + b"C\x00" + bytes(4)
    height, width = extent
    reason = undecodable(data)
    assert reason.startswith(f"the signal has {height} x {width} samples, more than the limit")
    limited = f'ulimit -v 900000; exec "{sys.executable}" -m vqcodec_cli verify bad.vqc'
    done = subprocess.run(["sh", "-c", limited], capture_output=True, check=False)
    assert done.returncode == 1
    assert reason.encode() in done.stderr


@pytest.mark.usefixtures("good")
def test_max_samples_can_be_lowered_and_raised(run_cli: RunCli, refused: Refusal) -> None:
    count = 53 * 37
    for command, name in (("decode", "good.vqc"), ("encode", "photo.png")):
        assert str(count - 1) in refused(1, command, name, "--max-samples", count - 1)
    for command in ("info", "verify"):
        assert run_cli(command, "good.vqc", "--max-samples", count - 1).code == 1
        assert run_cli(command, "good.vqc", "--max-samples", count).code == 0
    assert run_cli("decode", "good.vqc", "-o", "x.png", "--max-samples", count).code == 0


def test_more_codes_than_the_bytes_can_hold(refused: Refusal, good: bytes) -> None:
    regions = count_regions((512, 512), (128, 128))
    header = header_like(good, extent=(4096, 4096), prior=0, regions=regions)
    data = write_stream(header, [], [b"\0"] * regions)
    Path("bad.vqc").write_bytes(data)
    assert "code chunk 0" in refused(1, "decode", "bad.vqc")


def test_index_outside_the_codebook(refused: Refusal, run_cli: RunCli, good: bytes) -> None:
    """Its checksum is right: only decoding tells."""
    # The model has 12 codes, and raw indices take 4 bits: 15 is one that does not exist.
    header = header_like(good, prior=0, stages=1)
    for payload in (b"\xff" * 18, b"\x00" * 17 + b"\xff"):
        Path("bad.vqc").write_bytes(write_stream(header, [], [payload]))
        reason = refused(1, "decode", "bad.vqc")
        assert run_cli("verify", "bad.vqc").code == 0
        deep = run_cli("verify", "bad.vqc", "--deep")
        assert (deep.code, deep.err) == (1, f"vqcodec: bad.vqc: {reason}\n")
    found = run_cli("verify", "good.vqc", "--deep")
    assert (found.code, found.out) == (0, "good.vqc: ok, every code decodes\n")


def test_stages_that_the_model_does_not_have(refused: Refusal, good: bytes) -> None:
    header = header_like(good, prior=0, stages=63)
    Path("bad.vqc").write_bytes(write_stream(header, [], [b"\x00" * (63 * 18)]))
    assert "63 stages" in refused(1, "decode", "bad.vqc")


def test_random_edits_with_right_checksums_never_end_in_a_traceback(
    run_cli: RunCli, good: bytes
) -> None:
    random = np.random.default_rng(5)
    stream = read(good)
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
    stream = read(good)
    for kind in ("i", "e"):
        chunks = [Chunk(kind, b"\x78\x9c not deflate")]
        undecodable(write_stream(stream.header, chunks, stream.codes))


def test_metadata_bomb_is_refused(undecodable: Callable[[bytes], str], good: bytes) -> None:
    stream = read(good)
    bomb = zlib.compress(bytes(40_000_000), 9)
    undecodable(write_stream(stream.header, [Chunk("e", bomb)], stream.codes))
