"""The command on a medium that it was not written for: the made-up one of one axis."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from laws import EXAMPLES
from PIL import Image
from sawtooth.medium import MEDIUM
from tiny import write_tiny

from vqcodec.bitstream import Limits
from vqcodec.media.registry import MEDIA


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Register the medium, install its default model, and go to an empty folder."""
    monkeypatch.setitem(MEDIA, "sawtooth", "sawtooth")
    models, work = tmp_path / "models", tmp_path / "work"
    for folder in (models, work):
        folder.mkdir()
    monkeypatch.setenv("VQCODEC_MODELS", str(models))
    monkeypatch.chdir(work)
    example = EXAMPLES["sawtooth"]
    samples = example.samples()
    path = models / "sawtooth.safetensors"
    return write_tiny(path, example.config, samples, list(samples), name="sawtooth")


@pytest.fixture
def tooth() -> Path:
    path = Path("a.saw")
    path.write_bytes(MEDIUM.write(EXAMPLES["sawtooth"].signals()[2], format="saw"))
    return path


def test_there_and_back_by_names_alone(run_cli: Any, tooth: Path) -> None:
    original = MEDIUM.read(tooth.read_bytes(), Limits())
    encoded = run_cli("encode", tooth)
    assert (encoded.code, encoded.err) == (0, "")
    assert encoded.out.startswith("a.vqc: 38 steps, ")
    assert " bits a step, " in encoded.out
    tooth.unlink()
    decoded = run_cli("decode", "a.vqc")
    assert (decoded.code, decoded.out.split(",")[0]) == (0, "a.saw: 38 steps")
    again = MEDIUM.read(tooth.read_bytes(), Limits())
    assert (again.offset, again.unit, len(again.values)) == (10**9, "kelvin", 38)
    assert MEDIUM.decibels(again, original) > 3


def test_a_region_has_the_axes_of_the_medium(run_cli: Any, tooth: Path) -> None:
    run_cli("encode", tooth)
    said = run_cli("decode", "a.vqc", "--region", "10,7", "-o", "part.saw")
    assert (said.code, said.out.split(",")[0]) == (0, "part.saw: 7 steps")
    assert run_cli("decode", "a.vqc", "--region", "10,29", "-o", "x.saw").code == 2
    assert run_cli("decode", "a.vqc", "--region", "1,1,1,1", "-o", "x.saw").code == 2


def test_info_says_what_the_medium_says(run_cli: Any, tooth: Path) -> None:
    run_cli("encode", tooth, "--strip")
    shown = run_cli("info", "a.vqc").out
    assert "  sawtooth  38 steps" in shown
    assert "sawtooth-1" in shown
    record = json.loads(run_cli("info", "--json", "a.vqc").out)
    assert (record["medium"], record["steps"], record["unit_bytes"]) == ("sawtooth", 38, 0)
    assert run_cli("verify", "a.vqc").out == "a.vqc: ok\n"


def test_a_folder_of_two_media(run_cli: Any, tooth: Path) -> None:
    Path("in").mkdir()
    Path("out").mkdir()
    Path("back").mkdir()
    tooth.rename("in/a.saw")
    Image.fromarray(np.zeros((9, 7, 3), np.uint8)).save("in/b.png")
    assert run_cli("encode", "in", "-o", "out").code == 0
    assert run_cli("decode", "out", "-o", "back").code == 0
    assert sorted(path.name for path in Path("back").iterdir()) == ["a.saw", "b.png"]


def test_standard_input_is_named_by_what_it_holds(
    run_cli: Any, tooth: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cli("encode", tooth)
    for name, data, code in (
        ("stdin.saw", Path("a.vqc").read_bytes(), 0),
        ("stdin.png", b"no stream", 1),
    ):
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(data)))
        monkeypatch.setattr("sys.stdin", stdin)
        outcome = run_cli("decode", "-", "-o", "back/")
        assert outcome.code == code
        assert Path("back", name).exists() == (code == 0)


@pytest.mark.parametrize("target", ["b.png", "b.gif"])
def test_a_format_of_another_medium_is_refused(run_cli: Any, tooth: Path, target: str) -> None:
    run_cli("encode", tooth)
    outcome = run_cli("decode", "a.vqc", "-o", target)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert not Path(target).exists()


def test_it_is_trained_and_compared_with_its_peers(run_cli: Any) -> None:
    """By its first recipe, on a folder of its own files; no part of either command knows it."""
    Path("teeth").mkdir()
    for number, tooth in enumerate(EXAMPLES["sawtooth"].training()):
        Path("teeth", f"{number}.saw").write_bytes(MEDIUM.write(tooth, format="saw"))
    trained = run_cli(
        *("train", "teeth", "--recipe", "sawtooth", "-o", "mine.safetensors", "--steps", "25"),
        *("--device", "cpu"),
    )
    assert trained.code == 0, trained.err
    assert run_cli("encode", "teeth", "-m", "mine.safetensors", "-o", "coded/").code == 0
    assert len(list(Path("coded").iterdir())) == 3
    found = run_cli("eval", "teeth", "-m", "mine.safetensors", "--against", "deflate", "-o", "eval")
    assert found.code == 0, found.err
    results = json.loads(Path("eval", "results.json").read_text())
    assert [codec["name"] for codec in results["codecs"]] == ["vqcodec mine-1", "deflate"]
    assert "bits a step" in Path("eval", "tables.md").read_text()


def test_a_model_of_another_medium_is_refused(run_cli: Any, tooth: Path) -> None:
    outcome = run_cli("encode", tooth, "-m", "photo")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert not Path("a.vqc").exists()
    run_cli("encode", tooth)
    outcome = run_cli("decode", "a.vqc", "-m", "photo", "-o", "b.saw")
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)
    assert "needs the model" in outcome.err
