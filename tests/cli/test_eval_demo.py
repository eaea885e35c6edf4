"""vqcodec eval and the demo, from a folder of pictures to tables and pictures."""

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec import Picture
from vqcodec.evaluation import find_peer
from vqcodec.media.picture.measures import psnr
from vqcodec.media.registry import find_workshop
from vqcodec_cli import demo

RunCli = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("tiny_model")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(pixels: NDArray[np.uint8]) -> Path:
    path = Path("pictures")
    (path / "sub").mkdir(parents=True)
    Image.fromarray(pixels).save(path / "colour.png")
    Image.fromarray(pixels[..., 0]).save(path / "sub/grey.png")
    return path


def test_results_are_whole_and_agree_with_real_files(run_cli: RunCli, folder: Path) -> None:
    outcome = run_cli(
        "eval", folder, "-m", "tiny", "--against", "jpeg", "--qualities", "100,0", "-o", "out"
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("out/rate_distortion.png\n")
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "rate_distortion.png",
        "results.json",
        "signals.csv",
        "tables.md",
    ]
    content = json.loads(Path("out/results.json").read_text())
    assert content["signals"] == "2 pictures of pictures"
    assert content["rate"]["unit"] == "bpp"
    assert {codec["name"] for codec in content["codecs"]} == {"vqcodec tiny-1", "jpeg"}
    assert content["versions"]["torch"]
    assert content["versions"]["pillow"]
    assert content["machine"]["cores"] >= 1
    ours = [point for point in content["points"] if point["codec"] == "vqcodec tiny-1"]
    assert [point["setting"] for point in ours] == [0.0, 100.0]
    rows = list(csv.DictReader(io.StringIO(Path("out/signals.csv").read_text())))
    assert {row["signal"] for row in rows} == {"colour.png", "sub/grey.png"}

    run_cli("encode", "pictures/colour.png", "-m", "tiny", "-q", 100, "-o", "c.vqc", "--strip")
    run_cli("decode", "c.vqc", "-o", "c.png")
    measured = next(row for row in ours[1]["signals"] if row["signal"] == "colour.png")
    assert measured["size"] == Path("c.vqc").stat().st_size
    with Image.open("c.png") as back, Image.open("pictures/colour.png") as original:
        expected = psnr(np.asarray(back), np.asarray(original))
    assert measured["values"]["psnr"] == pytest.approx(expected)


def test_results_are_not_overwritten_without_force(run_cli: RunCli, folder: Path) -> None:
    Path("out").mkdir()
    Path("out/tables.md").write_text("old")
    arguments = ["eval", folder, "-m", "tiny", "--against", "", "--qualities", "0", "-o", "out"]
    outcome = run_cli(*arguments)
    assert outcome.code == 4
    assert "exists already" in outcome.err
    assert Path("out/tables.md").read_text() == "old"
    assert run_cli(*arguments, "-f").code == 0
    assert Path("out/tables.md").read_text() != "old"


def test_published_curves_and_the_third_measure_reach_every_result(
    run_cli: RunCli, folder: Path
) -> None:
    pytest.importorskip("ssimulacra2", reason="the measure needs ssimulacra2")
    curve = {"name": "other", "points": [{"bpp": 0.01, "psnr": 1}, {"bpp": 90, "psnr": 80.5}]}
    Path("curves.json").write_text(json.dumps({"source": "Somebody 2018.", "curves": [curve]}))
    arguments = ["eval", folder, "-m", "tiny", "--against", "", "--qualities", "0,100", "-o", "out"]
    measures = ["--measures", "ssimulacra2,psnr", "--published", "curves.json"]
    outcome = run_cli(*arguments, *measures)
    assert (outcome.code, outcome.err) == (0, "")
    content = json.loads(Path("out/results.json").read_text())
    assert list(content["summary"]["at_rate"]) == ["psnr", "ssimulacra2"]
    assert content["published"][0]["points"][1]["rate"] == 90
    assert content["versions"]["ssimulacra2"]
    assert content["codecs"][0]["runs_on"].endswith(("thread", "threads"))
    tables = Path("out/tables.md").read_text()
    assert tables == outcome.out.removesuffix("\nout/rate_distortion.png\n")
    assert "| other (published) |" in tables
    assert "not run here, numbers as published. Somebody 2018." in tables
    assert "SSIMULACRA2 at bpp" in tables
    assert "MS-SSIM" not in tables
    rows = list(csv.DictReader(io.StringIO(Path("out/signals.csv").read_text())))
    assert list(rows[0])[5:7] == ["psnr", "ssimulacra2"]
    assert all(float(row["ssimulacra2"]) <= 100 for row in rows)


@pytest.mark.parametrize("missing", ["ssimulacra2", "matplotlib"])
def test_a_missing_package_is_said_before_the_work(
    run_cli: RunCli, folder: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for module in ("vqcodec.evaluation.lookup", "vqcodec.evaluation.plot"):
        monkeypatch.setattr(f"{module}.find_spec", lambda name: None if name == missing else 1)
    outcome = run_cli("eval", folder, "-m", "tiny", "--measures", "ssimulacra2", "-o", "out")
    assert outcome.code == 4
    assert f"needs {missing}: pip install 'vqcodec[eval]'" in outcome.err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["--against", "bpg"], 2, "no codec 'bpg'"),
        (["-m", "nowhere"], 3, "nowhere"),
        (["--measures", "psnr,lpips"], 2, "no such measure: lpips"),
        (["--measures", ""], 2, "no such measure: none"),
        (["--published", "missing.json"], 4, "missing.json: no such file or directory"),
        (["--published", "bad.json"], 1, "bad.json: not JSON"),
        (["--published", "a.json", "--published", "a.json"], 2, "a codec twice: other, other"),
    ],
)
def test_refusals_come_before_the_work(
    run_cli: RunCli, folder: Path, arguments: list[str], code: int, why: str
) -> None:
    Path("bad.json").write_text("{")
    Path("a.json").write_text(
        json.dumps({"source": "s", "curves": [{"name": "other", "points": [{"bpp": 1}]}]})
    )
    outcome = run_cli("eval", folder, "-m", "tiny", "-o", "out", *arguments)
    assert outcome.code == code
    assert why in outcome.err
    assert not Path("out").exists()


def test_demo_writes_a_strip_and_prints_its_path_last(
    capsys: pytest.CaptureFixture[str], photo: Path, pixels: NDArray[np.uint8]
) -> None:
    code = demo.main(["--photo", str(photo), "-m", "tiny", "--bpp", "3", "-o", "shown"])
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert said.out.endswith("shown/before_after.png\n")
    rows = [line.strip("│").split("│") for line in said.out.splitlines() if line[0] == "│"]
    assert [row[0].strip() for row in rows] == ["vqcodec", "jpeg", "webp"]
    assert max(map(len, said.out.splitlines()[:-2])) <= 80
    assert "…" not in said.out
    ours, *others = (int(row[2].replace(",", "")) for row in rows)
    assert ours == Path("shown/photo.vqc").stat().st_size
    jpeg, webp = (f"{size / ours - 1:+.1%}" for size in others)
    assert f"sizes beside that of vqcodec: jpeg {jpeg}, webp {webp}\n" in said.out
    with Image.open("shown/before_after.png") as strip:
        assert strip.width >= 3 * pixels.shape[1]
        assert np.array_equal(np.asarray(strip)[26:, : pixels.shape[1]], pixels)
    assert 8 * Path("shown/photo.vqc").stat().st_size / (53 * 37) <= 3


def test_demo_takes_the_nearest_size_of_a_peer(pixels: NDArray[np.uint8]) -> None:
    """On either side of what was asked for."""
    workshop = find_workshop("picture")
    picture = workshop.comparable(Picture(pixels))
    sizes = {
        quality: len(find_peer(workshop, "jpeg").encode(picture, quality)) for quality in (40, 41)
    }
    low, high = sizes.values()
    assert high - low > 2
    for size, quality in ((low + 1, 40), (high - 1, 41), (high, 41)):
        found = demo._peer(workshop, "jpeg", picture, size)
        assert (found.quality, len(found.data)) == (quality, sizes[quality])
    assert demo._peer(workshop, "jpeg", picture, 10**6).quality == 100


def test_demo_of_a_missing_photo_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--photo", "missing.jpg", "-m", "tiny"]) == 4
    assert capsys.readouterr().err == "vqcodec: missing.jpg: no such file or directory\n"


def test_earlier_measurements_are_taken_over(run_cli: RunCli, folder: Path) -> None:
    common = ("-m", "tiny", "--qualities", "0,100", "--against", "jpeg")
    assert run_cli("eval", folder, *common, "-o", "first").code == 0
    first = json.loads(Path("first/results.json").read_text())
    # A processor that nobody has, and seconds that nobody measures.
    first["machine"]["processor"] = "Analytical Engine"
    for point in first["points"]:
        for row in point["signals"]:
            row["encode_seconds"] = 77.0
    Path("first/results.json").write_text(json.dumps(first))
    earlier = ("--earlier", "first/results.json")
    outcome = run_cli("eval", folder, *common, *earlier, "-o", "second")
    assert (outcome.code, outcome.err) == (0, "")
    second = json.loads(Path("second/results.json").read_text())
    # The encoder of a model changes while its name stays, so it is measured anew.
    peers = {codec["name"]: codec.get("measured") for codec in second["codecs"]}
    assert peers["vqcodec tiny-1"] is None
    assert peers["jpeg"]["machine"]["processor"] == "Analytical Engine"
    seconds = {
        codec: {row["encode_seconds"] for p in second["points"] if p["codec"] == codec
                for row in p["signals"]}
        for codec in peers
    }  # fmt: skip
    assert seconds["jpeg"] == {77.0}
    assert 77.0 not in seconds["vqcodec tiny-1"]
    assert "| jpeg | " in outcome.out
    assert "| 1 thread, Analytical Engine |" in outcome.out
    # Taken over once more, they still say where they are from.
    third = run_cli("eval", folder, *common, "--earlier", "second/results.json", "-o", "third")
    assert "| 1 thread, Analytical Engine |" in third.out


@pytest.mark.parametrize("change", ["another picture", "another size", "a third measure"])
def test_earlier_measurements_of_something_else_are_not_taken(
    run_cli: RunCli, folder: Path, pixels: NDArray[np.uint8], change: str
) -> None:
    arguments = ["eval", folder, "-m", "tiny", "--qualities", "0", "--against", "jpeg"]
    assert run_cli(*arguments, "-o", "first").code == 0
    if change == "another picture":
        Image.fromarray(pixels).save(folder / "more.png")
    elif change == "another size":
        Image.fromarray(pixels[:-5]).save(folder / "colour.png")
    else:
        arguments += ["--measures", "psnr,ssimulacra2"]
    assert run_cli(*arguments, "--earlier", "first/results.json", "-o", "second").code == 0
    content = json.loads(Path("second/results.json").read_text())
    assert not any("measured" in codec for codec in content["codecs"])


@pytest.mark.parametrize("text", ["", "[]", '{"rate": {"unit": "bpp"}, "codecs": [{}]}'])
def test_what_is_no_earlier_result_is_refused(run_cli: RunCli, folder: Path, text: str) -> None:
    Path("earlier.json").write_text(text)
    arguments = ("eval", folder, "-m", "tiny", "--qualities", "0", "--against", "jpeg")
    outcome = run_cli(*arguments, "--earlier", "earlier.json", "-o", "out")
    assert outcome.code == 1
    assert "earlier.json: not" in outcome.err


def test_a_file_that_is_no_picture_is_named(run_cli: RunCli, folder: Path) -> None:
    (folder / "sub/broken.png").write_bytes(b"\x89PNG and no more")
    outcome = run_cli("eval", folder, "-m", "tiny", "--against", "", "-o", "out")
    assert outcome.code == 1
    assert "pictures/sub/broken.png: " in outcome.err
    assert not Path("out").exists()


def test_models_of_several_media_are_not_compared(
    run_cli: RunCli, folder: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vqcodec.model import file

    read_card = file.read_card

    def of_a_sound(path: Path) -> file.ModelCard:
        card = read_card(path)
        if path != tiny_weights:
            return card
        medium = dataclasses.replace(card.config.medium, kind="sound")
        return dataclasses.replace(card, config=dataclasses.replace(card.config, medium=medium))

    monkeypatch.setattr(file, "read_card", of_a_sound)
    outcome = run_cli("eval", folder, "-m", f"tiny,{tiny_weights}", "-o", "out")
    assert outcome.code == 2
    assert f"one medium can be compared: tiny is for pictures, {tiny_weights} is" in outcome.err


def test_help_names_what_the_workshops_have(run_cli: RunCli) -> None:
    said = " ".join(run_cli("eval", "--help").out.split())
    peers = "jpeg, mozjpeg, webp, avif, avif-psnr, jp2, jxl (default: jpeg,webp,avif)"
    assert f"for pictures of {peers}" in said
    assert "for pictures of psnr, ms-ssim, ssimulacra2 (default: psnr,ms-ssim)" in said


def test_a_file_is_no_folder(run_cli: RunCli, folder: Path) -> None:
    outcome = run_cli("eval", str(next(folder.glob("*.*"))), "-o", "results")
    assert outcome.code == 4
    assert outcome.err.endswith(": is a file; eval takes a folder\n")
