"""vqcodec compare: the page of one file, and what is refused."""

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., Any]

ENOUGH = ("--at", "2,0.01", "--qualities", "0,60", "--against", "jpeg", "--measures", "psnr")


@pytest.fixture
def refusal(run_cli: RunCli) -> Callable[..., str]:
    """Run a command that must fail with one line, which it gives."""

    def run(*arguments: object, code: int) -> str:
        outcome = run_cli(*arguments)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1)
        return str(outcome.err)

    return run


def test_a_page_is_written_and_told(run_cli: RunCli, photo: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    outcome = run_cli("compare", photo, *ENOUGH, "--device", "cpu", "-o", target)
    assert (outcome.code, outcome.err) == (0, "")
    # Nothing is as small as the second rate.
    ours, jpeg, last = outcome.out.splitlines()
    assert ours.startswith("2 bpp  vqcodec photo-1: ")
    assert jpeg.startswith("2 bpp  jpeg: ")
    assert last == str(target)
    page = target.read_text("utf-8")
    assert "<h1>photo.png</h1>" in page
    assert "Where the bytes went" in page


def test_what_was_measured_is_told_to_machines(
    run_cli: RunCli, photo: Path, tmp_path: Path
) -> None:
    target = tmp_path / "report.html"
    outcome = run_cli("compare", photo, *ENOUGH, "-m", "", "--at", "8", "--json", "-o", target)
    assert outcome.code == 0
    content = json.loads(outcome.out)
    assert content["input"] == "photo.png"
    assert [entry["codec"] for entry in content["files"]] == ["jpeg"]
    assert content["files"][0]["bpp"] <= 8
    assert "Where the bytes went" not in target.read_text("utf-8")


def test_an_old_page_stays(refusal: Callable[..., str], photo: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    assert "exists already" in refusal("compare", photo, *ENOUGH, "-o", target, code=4)
    assert target.read_text() == "old"


def test_a_page_has_its_name(refusal: Callable[..., str], photo: Path, tmp_path: Path) -> None:
    why = refusal("compare", photo, *ENOUGH, "-o", tmp_path / "report.png", code=2)
    assert "report.html" in why
    assert "where to put" in refusal("compare", photo, *ENOUGH, code=2)


def test_a_sound_is_sent_to_the_page_with_players(
    refusal: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2000))
    assert "eval FOLDER --page" in refusal("compare", path, "-o", tmp_path / "a.html", code=1)


def test_a_folder_and_an_unknown_codec_are_refusal(
    refusal: Callable[..., str], photo: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a.html"
    assert "takes one" in refusal("compare", tmp_path, "-o", target, code=4)
    assert "bogus" in refusal("compare", photo, "--against", "bogus", "-o", target, code=2)
    nothing = ("-m", "", "--against", "")
    assert "nothing to compare" in refusal("compare", photo, *nothing, "-o", target, code=2)


@pytest.mark.parametrize("rate", ["0", "-1", "x", "nan"])
def test_rates_are_above_zero(
    refusal: Callable[..., str], photo: Path, tmp_path: Path, rate: str
) -> None:
    assert "--at" in refusal("compare", photo, "--at", rate, "-o", tmp_path / "a.html", code=2)
