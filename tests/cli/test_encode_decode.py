"""Pictures to files and back, through the command."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.media.picture.measures import psnr

RunCli = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("tiny_model")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(path: Path | str) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_photo_becomes_a_small_file_and_comes_back(
    run_cli: RunCli, photo: Path, pixels: NDArray[np.uint8]
) -> None:
    encoded = run_cli("encode", "photo.png", "-m", "tiny", "-q", 100)
    assert (encoded.code, encoded.err) == (0, "")
    assert encoded.out.startswith("photo.vqc: 53 x 37, ")
    assert Path("photo.vqc").stat().st_size < photo.stat().st_size
    decoded = run_cli("decode", "photo.vqc", "-o", "back.png")
    assert (decoded.code, decoded.err) == (0, "")
    assert decoded.out.startswith("back.png: 53 x 37, ")
    assert psnr(load("back.png"), pixels) > 14


@pytest.mark.usefixtures("photo")
def test_two_encodes_give_the_same_bytes(run_cli: RunCli) -> None:
    for name in ("one.vqc", "two.vqc"):
        assert run_cli("encode", "photo.png", "-m", "tiny", "-o", name).code == 0
    assert Path("one.vqc").read_bytes() == Path("two.vqc").read_bytes()


@pytest.mark.usefixtures("photo")
def test_psnr_is_reached_by_a_file_that_is_not_larger_than_needed(
    run_cli: RunCli, pixels: NDArray[np.uint8]
) -> None:
    ends = []
    for quality in (0, 100):
        run_cli("encode", "photo.png", "-m", "tiny", "-q", quality, "-o", "x.vqc", "-f")
        run_cli("decode", "x.vqc", "-o", "x.png", "-f")
        ends.append((psnr(load("x.png"), pixels), Path("x.vqc").stat().st_size))
    wanted = (ends[0][0] + ends[1][0]) / 2
    assert run_cli("encode", "photo.png", "-m", "tiny", "--psnr", wanted, "-o", "y.vqc").code == 0
    run_cli("decode", "y.vqc", "-o", "y.png")
    assert psnr(load("y.png"), pixels) >= wanted
    assert ends[0][1] < Path("y.vqc").stat().st_size < ends[1][1]
    beyond = run_cli("encode", "photo.png", "-m", "tiny", "--psnr", 99, "-o", "z.vqc")
    assert (beyond.code, Path("z.vqc").exists()) == (1, False)
    assert "99.0 dB cannot be reached" in beyond.err


@pytest.mark.usefixtures("photo")
def test_effort_buys_quality_or_size(run_cli: RunCli, pixels: NDArray[np.uint8]) -> None:
    found = []
    for effort in (1, 9):
        arguments = ["-m", "tiny", "-q", 100, "--effort", effort, "-o", "x.vqc", "-f"]
        assert run_cli("encode", "photo.png", *arguments).code == 0
        run_cli("decode", "x.vqc", "-o", "x.png", "-f")
        found.append(psnr(load("x.png"), pixels))
    assert found[1] > found[0]


def test_a_picture_given_to_decode_is_told_what_it_is(run_cli: RunCli, photo: Path) -> None:
    before = photo.read_bytes()
    outcome = run_cli("decode", "photo.png")
    assert outcome.code == 1
    assert outcome.err == "vqcodec: photo.png: not a vqcodec file (looks like PNG)\n"
    assert photo.read_bytes() == before
    assert list(Path().iterdir()) == [Path("photo.png")]


@pytest.mark.usefixtures("photo")
def test_quality_orders_size(run_cli: RunCli) -> None:
    sizes = []
    for quality in (0, 50, 100):
        run_cli("encode", "photo.png", "-m", "tiny", "-q", quality, "-o", "x.vqc", "-f")
        sizes.append(Path("x.vqc").stat().st_size)
    assert sizes == sorted(set(sizes))


@pytest.mark.usefixtures("photo")
def test_size_and_rate_are_kept_to(run_cli: RunCli) -> None:
    run_cli("encode", "photo.png", "-m", "tiny", "-q", 0, "-o", "low.vqc")
    run_cli("encode", "photo.png", "-m", "tiny", "-q", 100, "-o", "high.vqc")
    low, high = (Path(name).stat().st_size for name in ("low.vqc", "high.vqc"))
    limit = (low + high) // 2
    assert run_cli("encode", "photo.png", "-m", "tiny", "--size", limit, "-o", "a.vqc").code == 0
    bpp = 8 * limit / (53 * 37)
    assert run_cli("encode", "photo.png", "-m", "tiny", "--bpp", bpp, "-o", "b.vqc").code == 0
    for name in ("a.vqc", "b.vqc"):
        assert low <= Path(name).stat().st_size <= limit


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.png", "PNG"),
        ("x.jpg", "JPEG"),
        ("x.webp", "WEBP"),
        ("x.tiff", "TIFF"),
        ("X.JPEG", "JPEG"),
    ],
)
@pytest.mark.usefixtures("photo")
def test_suffix_chooses_the_picture_format(run_cli: RunCli, name: str, kind: str) -> None:
    run_cli("encode", "photo.png", "-m", "tiny")
    assert run_cli("decode", "photo.vqc", "-o", name).code == 0
    assert run_cli("decode", "photo.vqc", "-o", "ref.png").code == 0
    with Image.open(name) as picture:
        assert picture.format == kind
        assert psnr(np.asarray(picture.convert("RGB")), load("ref.png")) > 22


@pytest.mark.usefixtures("photo")
def test_default_output_does_not_overwrite_the_original(run_cli: RunCli) -> None:
    before = Path("photo.png").read_bytes()
    run_cli("encode", "photo.png", "-m", "tiny")
    outcome = run_cli("decode", "photo.vqc")
    assert outcome.code == 4
    assert outcome.err == "vqcodec: photo.vqc: photo.png exists already (-f overwrites it)\n"
    assert Path("photo.png").read_bytes() == before
    assert run_cli("decode", "photo.vqc", "-f").code == 0
    assert Path("photo.png").read_bytes() != before


def test_folder_keeps_its_shape_and_comes_back(run_cli: RunCli, photo: Path) -> None:
    for name in ("in/a.png", "in/sub/b.png"):
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).write_bytes(photo.read_bytes())
    Path("in/notes.txt").write_text("no picture")
    Path("vqc").mkdir()
    Path("out").mkdir()
    assert run_cli("encode", "in", "-m", "tiny", "-o", "vqc").code == 0
    assert run_cli("decode", "vqc", "-o", "out").code == 0
    files = sorted(str(path) for path in Path("out").rglob("*.*"))
    assert files == ["out/a.png", "out/sub/b.png"]
    assert np.array_equal(load("out/a.png"), load("out/sub/b.png"))


def test_one_bad_picture_among_good_ones(run_cli: RunCli, photo: Path) -> None:
    for name in ("a.png", "c.png"):
        Path(name).write_bytes(photo.read_bytes())
    Path("b.png").write_bytes(photo.read_bytes()[:-40])
    outcome = run_cli("encode", "[abc].png", "-m", "tiny", "--json")
    assert outcome.code == 1
    assert [json.loads(line)["input"] for line in outcome.out.splitlines()] == [
        "a.png",
        "b.png",
        "c.png",
    ]
    assert outcome.err.splitlines()[0].startswith("vqcodec: b.png: ")
    assert outcome.err.splitlines()[1] == "vqcodec: 1 of 3 files failed"
    assert [Path(name).exists() for name in ("a.vqc", "b.vqc", "c.vqc")] == [True, False, True]


def test_pipes_from_end_to_end(photo: Path, run_cli: RunCli) -> None:
    command = [sys.executable, "-m", "vqcodec_cli"]
    encoded = subprocess.run(
        [*command, "encode", "-", "-m", "tiny"],
        input=photo.read_bytes(),
        capture_output=True,
        check=True,
    )
    decoded = subprocess.run(
        [*command, "decode", "-"], input=encoded.stdout, capture_output=True, check=True
    )
    assert (encoded.stderr, decoded.stderr) == (b"", b"")
    run_cli("encode", "photo.png", "-m", "tiny", "-o", "x.vqc")
    run_cli("decode", "x.vqc", "-o", "x.png")
    assert encoded.stdout == Path("x.vqc").read_bytes()
    with Image.open(io.BytesIO(decoded.stdout)) as picture:
        assert picture.format == "PNG"
        assert np.array_equal(np.asarray(picture), load("x.png"))


class Terminal(io.TextIOWrapper):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("photo")
def test_terminal_gets_no_binary_data(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", terminal)
    outcome = run_cli("encode", "photo.png", "-m", "tiny", "-o", "-")
    assert outcome.code == 2
    assert "terminal" in outcome.err
    terminal.flush()
    assert terminal.buffer.getvalue() == b""  # type: ignore[attr-defined]


def test_metadata_is_kept_unless_stripped(run_cli: RunCli, pixels: NDArray[np.uint8]) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    Image.fromarray(pixels).save("rich.png", icc_profile=profile, exif=exif)
    for options, kept in ([], True), (["--strip"], False):
        assert run_cli("encode", "rich.png", "-m", "tiny", "-f", *options).code == 0
        assert run_cli("decode", "rich.vqc", "-o", "back.png", "-f").code == 0
        with Image.open("back.png") as back:
            assert (back.info.get("icc_profile") == profile) is kept
            assert (back.getexif().get(0x010F) == "a camera") is kept


def test_model_may_be_a_file(run_cli: RunCli, photo: Path, tiny_weights: Path) -> None:
    assert run_cli("encode", photo, "-m", tiny_weights, "-o", "x.vqc").code == 0
    env = {**os.environ, "VQCODEC_MODELS": "", "XDG_DATA_HOME": "/nonexistent"}
    command = [sys.executable, "-m", "vqcodec_cli", "decode", "x.vqc", "-o", "x.png"]
    unknown = subprocess.run(command, env=env, capture_output=True, check=False)
    assert unknown.returncode == 3
    known = subprocess.run(
        [*command, "-m", str(tiny_weights)], env=env, capture_output=True, check=False
    )
    assert (known.returncode, known.stderr) == (0, b"")


@pytest.mark.parametrize("output", ["pictures", "back.png"])
def test_decoding_what_is_missing_says_that_it_is_missing(run_cli: RunCli, output: str) -> None:
    outcome = run_cli("decode", "out", "-o", output)
    assert (outcome.code, outcome.err) == (4, "vqcodec: out: no such file or directory\n")


def test_a_folder_goes_into_one_that_is_not_there(run_cli: RunCli, photo: Path) -> None:
    Path("in").mkdir()
    for name in ("a.png", "a.jpg"):
        Path("in", name).write_bytes(photo.read_bytes())
    encode = ("encode", "in", "-o", "out", "-m", "tiny", "-q", 0)
    refused = run_cli(*encode)
    assert refused.code == 2
    assert "--keep-suffix" in refused.err
    assert not Path("out").exists()
    done = run_cli(*encode, "--keep-suffix")
    assert (done.code, done.err) == (0, "")
    assert sorted(os.listdir("out")) == ["a.jpg.vqc", "a.png.vqc"]


@pytest.mark.parametrize("name", ["x.jpg", "x.PNG", "x.tiff"])
def test_a_stream_is_not_called_a_picture(run_cli: RunCli, photo: Path, name: str) -> None:
    outcome = run_cli("encode", photo, "-m", "tiny", "-o", name)
    assert outcome.code == 2
    suffix = name[1:].lower()
    assert outcome.err == f"vqcodec: {name} would not hold {suffix} data: name it x.vqc\n"
    assert not Path(name).exists()
    assert run_cli("encode", photo, "-m", "tiny", "-o", "x.bin").code == 0
