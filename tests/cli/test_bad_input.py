"""What bad input gets: one line, the right exit code, no output, an older output untouched."""

import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.bitstream import Chunk, Header, read_stream, write_stream
from vqcodec.bitstream.header import pack_header
from vqcodec.catalog import find_model

RunCli = Callable[..., Any]
Refusal = Callable[..., str]

OLD = b"an older output"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def good(run_cli: RunCli, photo: Path, tiny_model: str) -> bytes:
    """A whole stream of the small model, without anything optional."""
    assert run_cli("encode", photo, "-m", tiny_model, "-o", "good.vqc", "-q", 0).code == 0
    return Path("good.vqc").read_bytes()


@pytest.fixture
def refused(run_cli: RunCli) -> Refusal:
    """Run a command that must fail with one line about its input; gives the reason.

    The output exists already and may be overwritten: it must be left alone all the same.
    """

    def run(code: int, command: str, name: str, *options: object) -> str:
        target = Path("old.png" if command == "decode" else "old.vqc")
        target.write_bytes(OLD)
        before = sorted(os.listdir())
        outcome = run_cli(command, name, "-f", "-o", target, *options)
        start = f"vqcodec: {name}: "
        assert (outcome.code, outcome.out) == (code, "")
        assert outcome.err.startswith(start)
        assert outcome.err.count("\n") == 1
        assert target.read_bytes() == OLD
        assert sorted(os.listdir()) == before
        return str(outcome.err.removeprefix(start).rstrip("\n"))

    return run


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


def test_unknown_model_says_fingerprint_and_where_it_looked(
    refused: Refusal, stream: Path, tiny_model: str
) -> None:
    assert stream.exists()
    reason = refused(3, "decode", "photo.vqc")
    assert "07" * 8 in reason
    assert os.environ["VQCODEC_MODELS"] in reason
    assert tiny_model == "tiny"


def test_wrong_weights_under_the_right_name(refused: Refusal, good: bytes) -> None:
    path = find_model("tiny").path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    reason = refused(3, "decode", "good.vqc")
    assert "damaged or changed" in reason
    assert len(good) > 0


class Attack:
    """What a pickle can be: a command that runs when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("command", ["encode", "decode", "models add"])
@pytest.mark.usefixtures("photo", "good")
def test_pickle_given_as_weights_is_refused_and_not_run(
    run_cli: RunCli, tmp_path: Path, command: str
) -> None:
    marker = tmp_path / "marker"
    weights = tmp_path / "evil.safetensors"
    weights.write_bytes(pickle.dumps(Attack(marker)))
    arguments = {
        "encode": ["encode", "photo.png", "-o", "x.vqc", "-m", weights],
        "decode": ["decode", "good.vqc", "-o", "x.png", "-m", weights],
        "models add": ["models", "add", weights],
    }[command]
    outcome = run_cli(*arguments)
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("vqcodec: ")
    assert outcome.err.count("\n") == 1
    assert not marker.exists()
    assert not Path("x.vqc").exists()
    assert not Path("x.png").exists()


@pytest.mark.parametrize("damage", ["empty", "cut", "random", "missing"])
@pytest.mark.usefixtures("photo")
def test_damaged_weights(run_cli: RunCli, tiny_weights: Path, tmp_path: Path, damage: str) -> None:
    weights = tmp_path / "w.safetensors"
    data = tiny_weights.read_bytes()
    content = {
        "empty": b"",
        "cut": data[: len(data) // 2],
        "random": np.random.default_rng(0).bytes(5000),
    }
    if damage in content:
        weights.write_bytes(content[damage])
    outcome = run_cli("encode", "photo.png", "-o", "x.vqc", "-m", weights)
    assert outcome.code == 3 + (damage == "missing")
    assert outcome.err.startswith("vqcodec: ")
    assert outcome.err.count("\n") == 1
    assert not Path("x.vqc").exists()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.usefixtures("tiny_model")
def test_truncated_picture(refused: Refusal, pixels: NDArray[np.uint8], kind: str) -> None:
    Image.fromarray(pixels).save("cut.bin", format=kind)
    whole = Path("cut.bin").read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 30):
        Path("cut.bin").write_bytes(whole[:length])
        refused(1, "encode", "cut.bin", "-m", "tiny")


@pytest.mark.parametrize("content", [b"<svg></svg>", b"hello", bytes(1000)])
@pytest.mark.usefixtures("tiny_model")
def test_no_picture_under_the_name_of_one(refused: Refusal, content: bytes) -> None:
    Path("a.png").write_bytes(content)
    refused(1, "encode", "a.png", "-m", "tiny")


@pytest.mark.usefixtures("tiny_model")
def test_values_that_are_not_numbers(refused: Refusal) -> None:
    values = np.zeros((20, 30), np.float32)
    values[3, 4] = np.nan
    Image.fromarray(values).save("nan.tiff")
    refused(1, "encode", "nan.tiff", "-m", "tiny")


@pytest.mark.parametrize("shape", [(0, 0, 3), (0, 7, 3), (7, 0), (5,), (2, 2, 5)])
def test_arrays_that_are_no_picture(tiny_weights: Path, shape: tuple[int, ...]) -> None:
    import vqcodec

    codec = vqcodec.load(tiny_weights, device="cpu")
    with pytest.raises(vqcodec.InputError):
        codec.encode(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.1])
def test_float_values_out_of_range(tiny_weights: Path, value: float) -> None:
    import vqcodec

    image = np.full((9, 9, 3), 0.5, np.float32)
    image[4, 4, 1] = value
    with pytest.raises(vqcodec.InputError):
        vqcodec.load(tiny_weights, device="cpu").encode(image)


@pytest.mark.parametrize("command", ["encode", "decode", "info", "verify"])
@pytest.mark.usefixtures("tiny_model")
def test_directory_without_anything_to_do(run_cli: RunCli, command: str) -> None:
    Path("folder").mkdir()
    outcome = run_cli(command, "folder")
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.startswith("vqcodec: folder: is a folder without ")


@pytest.mark.parametrize("command", ["encode", "decode", "info", "verify"])
@pytest.mark.usefixtures("tiny_model")
def test_missing_input(run_cli: RunCli, command: str) -> None:
    model = ["-m", "tiny"] if command == "encode" else []
    outcome = run_cli(command, "missing.x", *model)
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err == "vqcodec: missing.x: no such file or directory\n"


@pytest.mark.usefixtures("photo", "good")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["encode", "photo.png", "-m", "tiny", "-o", "no/x.vqc"], "no folder"),
        (["decode", "good.vqc", "-o", "no/x.png"], "no folder"),
        (["encode", "photo.png", "-m", "tiny", "-o", "good.vqc"], "exists already"),
        (["decode", "good.vqc", "-o", "photo.png"], "exists already"),
    ],
)
def test_output_that_cannot_or_must_not_be_written(
    run_cli: RunCli, arguments: list[str], why: str
) -> None:
    before = {path: path.read_bytes() for path in Path().iterdir()}
    outcome = run_cli(*arguments)
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.startswith(f"vqcodec: {arguments[1]}: ")
    assert why in outcome.err
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.usefixtures("photo")
def test_output_equal_to_input(run_cli: RunCli) -> None:
    before = Path("photo.png").read_bytes()
    for name in ("photo.png", "./photo.png"):
        outcome = run_cli("encode", "photo.png", "-m", "tiny", "-f", "-o", name)
        assert outcome.code == 2
        assert "is an input" in outcome.err
    assert Path("photo.png").read_bytes() == before


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
@pytest.mark.usefixtures("photo", "tiny_model")
def test_no_memory(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    from vqcodec.codec import Codec

    def encode(*_: object, **__: object) -> bytes:
        raise error

    monkeypatch.setattr(Codec, "encode", encode)
    outcome = run_cli("encode", "photo.png", "-m", "tiny")
    assert (outcome.code, outcome.err) == (4, "vqcodec: photo.png: out of memory\n")
