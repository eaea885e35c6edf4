"""Less than all of a stream: at a fraction of its size, or what is left of one that was cut."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

RunCli = Callable[..., Any]
Refusal = Callable[..., str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stream(run_cli: RunCli, photo: Path, tiny_model: str) -> Path:
    """A picture of one region, 53 x 37, as photo.vqc."""
    assert run_cli("encode", photo.name, "-m", tiny_model).code == 0
    return Path("photo.vqc")


@pytest.fixture
def wide(run_cli: RunCli, tiny_model: str) -> Path:
    """A picture of two regions, 1100 x 16, as wide.vqc."""
    columns = np.arange(1100) % 256
    pixels = np.broadcast_to(columns[None, :, None], (16, 1100, 3)).astype(np.uint8)
    Image.fromarray(pixels).save("wide.png")
    assert run_cli("encode", "wide.png", "-m", tiny_model).code == 0
    return Path("wide.vqc")


def pixels_of(name: str) -> Any:
    with Image.open(name) as image:
        return np.asarray(image).astype(np.float64)


@pytest.mark.parametrize(
    ("scale", "size"), [("1/8", "7 x 5"), ("0.25", "14 x 10"), ("1", "53 x 37")]
)
@pytest.mark.usefixtures("stream")
def test_a_scale(run_cli: RunCli, scale: str, size: str) -> None:
    outcome = run_cli("decode", "photo.vqc", "--scale", scale, "-o", "small.png")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"small.png: {size}, ")
    assert " x ".join(map(str, pixels_of("small.png").shape[1::-1])) == size


@pytest.mark.parametrize(
    "scale", ["1/3", "2", "0", "1/0", "-1/2", "1/2/2", "x", "nan", "1/1e400", ""]
)
@pytest.mark.usefixtures("stream")
def test_what_is_no_scale(run_cli: RunCli, scale: str) -> None:
    outcome = run_cli("decode", "photo.vqc", f"--scale={scale}", "-o", "small.png")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--scale" in outcome.err
    assert not Path("small.png").exists()


@pytest.mark.usefixtures("stream")
def test_a_scale_that_the_model_does_not_have(refused: Refusal) -> None:
    assert "stride of 8 x 8" in refused(1, "decode", "photo.vqc", "--scale", "1/64")


@pytest.mark.usefixtures("stream")
def test_a_thumbnail_beside_the_facts(run_cli: RunCli) -> None:
    plain = run_cli("info", "photo.vqc")
    outcome = run_cli("info", "photo.vqc", "--thumbnail", "small.jpg")
    said = f"{plain.out}  thumbnail small.jpg, 7 x 5\n"
    assert (outcome.code, outcome.out, outcome.err) == (0, said, "")
    assert pixels_of("small.jpg").shape == (5, 7, 3)
    run_cli("info", "photo.vqc", "--thumbnail", "small.png")
    run_cli("decode", "photo.vqc", "--scale", "1/8", "-o", "same.png")
    np.testing.assert_array_equal(pixels_of("small.png"), pixels_of("same.png"))


def test_a_thumbnail_replaces_no_file(run_cli: RunCli, stream: Path) -> None:
    Path("small.png").write_bytes(b"an older one")
    outcome = run_cli("info", stream, "--thumbnail", "small.png")
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.endswith("small.png exists already (-f overwrites it)\n")
    assert Path("small.png").read_bytes() == b"an older one"
    assert run_cli("info", stream, "--thumbnail", "small.png", "-f").code == 0
    assert pixels_of("small.png").shape == (5, 7, 3)


@pytest.mark.usefixtures("stream", "wide")
def test_thumbnails_that_cannot_be(run_cli: RunCli) -> None:
    for arguments in (
        ("photo.vqc", "wide.vqc", "--thumbnail", "a.png"),
        ("photo.vqc", "--thumbnail", "a.txt"),
        ("photo.vqc", "--thumbnail", "-", "--json"),
    ):
        outcome = run_cli("info", *arguments)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert not Path("a.png").exists()


def test_what_is_left_of_a_cut_file(run_cli: RunCli, refused: Refusal, wide: Path) -> None:
    run_cli("decode", wide, "-o", "whole.png")
    Path("cut.vqc").write_bytes(wide.read_bytes()[:-3])
    for command in ("decode", "info"):
        says = run_cli(command, "cut.vqc").err
        assert says.endswith("; vqcodec decode --partial shows what is left\n")
        assert says.startswith("vqcodec: cut.vqc: code chunk 1 ")
    refused(1, "decode", "cut.vqc")
    outcome = run_cli("decode", "cut.vqc", "--partial", "--json", "-o", "cut.png")
    assert outcome.code == 0
    assert outcome.err == "vqcodec: cut.vqc: 1 of 2 regions are there, the others are blank\n"
    record = json.loads(outcome.out)
    assert (record["regions"], record["regions_there"], record["width"]) == (2, 1, 1100)
    whole, cut = pixels_of("whole.png"), pixels_of("cut.png")
    np.testing.assert_array_equal(cut[:, : 1024 - 32], whole[:, : 1024 - 32])
    assert np.abs(cut[:, 1024 + 32 :] - 127.5).max() < 16


def test_what_is_left_of_a_part(run_cli: RunCli, wide: Path) -> None:
    Path("cut.vqc").write_bytes(wide.read_bytes()[:-3])
    options = ("decode", "cut.vqc", "--partial", "-f", "-o", "part.png", "--region")
    outcome = run_cli(*options, "1030,0,50,16")
    says = "vqcodec: cut.vqc: nothing of this part is there, it is blank\n"
    assert (outcome.code, outcome.err) == (0, says)
    outcome = run_cli(*options, "1000,0,50,16")
    assert outcome.err == "vqcodec: cut.vqc: 1 of 2 regions of this part are there\n"
    assert run_cli(*options, "0,0,50,16").err == ""


def test_nothing_is_left_of_a_cut_file_of_one_region(run_cli: RunCli, stream: Path) -> None:
    Path("cut.vqc").write_bytes(stream.read_bytes()[:-3])
    assert "--partial" not in run_cli("info", "cut.vqc").err


def test_a_limit_says_what_sets_it(run_cli: RunCli, stream: Path) -> None:
    for command in ("info", "verify", "decode"):
        force = ["-f"] if command == "decode" else []
        outcome = run_cli(command, stream, "--max-samples", "100", *force)
        assert outcome.code == 1
        assert outcome.err.endswith("more than the limit of 100 (--max-samples allows more)\n")
    outcome = run_cli("encode", "photo.png", "--max-samples", "100", "-f")
    assert outcome.err.endswith("more than the limit of 100 (--max-samples allows more)\n")


def test_a_whole_file_is_no_cut_one(run_cli: RunCli, wide: Path) -> None:
    outcome = run_cli("decode", wide, "--partial", "-o", "back.png")
    assert (outcome.code, outcome.err) == (0, "")


def test_nothing_is_left(refused: Refusal, stream: Path) -> None:
    data = stream.read_bytes()
    for length in (0, 3, 20, 28, 31, len(data) - 1):
        Path("cut.vqc").write_bytes(data[:length])
        refused(1, "decode", "cut.vqc", "--partial")


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize("option", [["--scale", "1/8"], ["--region", "0,0,9,9"], ["--partial"]])
def test_a_part_takes_no_default_name(run_cli: RunCli, option: list[str]) -> None:
    """With -f it would take the place of the original."""
    before = sorted(os.listdir())
    outcome = run_cli("decode", "photo.vqc", "-f", *option)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "needs -o" in outcome.err
    assert sorted(os.listdir()) == before
