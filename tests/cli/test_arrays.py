"""The command on arrays, which are coded without a model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    values = np.add.outer(np.sin(np.arange(40) / 7), np.arange(50) / 30).astype(np.float32)
    np.save("field.npy", values)
    return values


def test_there_and_back_by_names_alone(run_cli: Any, field: Any) -> None:
    encoded = run_cli("encode", "field.npy", "--max-error", "0.5%", "--chunk", "16,50")
    assert (encoded.code, encoded.err) == (0, "")
    assert encoded.out.startswith("field.vqc: 40 x 50, ")
    assert " bits a value" in encoded.out
    shown = run_cli("info", "field.vqc").out
    for words in ("max_error", "float32", "3 regions", "none is needed"):
        assert words in shown
    record = json.loads(run_cli("info", "--json", "field.vqc").out)
    limit = 0.005 * float(np.ptp(field))
    assert record["reached"] <= record["bound"] == pytest.approx(limit)
    said = run_cli("verify", "field.vqc", "--against", "field.npy")
    assert said.out.startswith("field.vqc: ok, largest error 0.0")
    np.save("other.npy", field + np.float32(0.1))
    wrong = run_cli("verify", "field.vqc", "--against", "other.npy")
    assert (wrong.code, "further off" in wrong.err) == (1, True)
    assert run_cli("decode", "field.vqc", "-o", "back.npy").code == 0
    back = np.load("back.npy")
    assert abs(back - field).max() <= limit
    assert run_cli("decode", "field.vqc", "--slice", "5:20,-9:", "-o", "part.npy").code == 0
    np.testing.assert_array_equal(np.load("part.npy"), back[5:20, -9:])
    assert run_cli("decode", "field.vqc", "--region", "7,3,10,2", "-o", "other.npy", "-f").code == 0
    np.testing.assert_array_equal(np.load("other.npy"), back[3:5, 7:17])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["encode", "field.npy"], 1, "there is no default"),
        (["encode", "field.npy", "-q", "50"], 2, "has no --quality"),
        (["encode", "field.npy", "--max-error", "x"], 2, "not a number"),
        (["encode", "field.npy", "--max-error", "1", "--lossless"], 2, "not allowed"),
        (["encode", "field.npy", "--lossless", "--chunk", "0,1"], 2, "--chunk"),
        (["encode", "field.npy", "--lossless", "-m", "photo"], 1, "not a picture"),
    ],
)
def test_what_the_command_refuses(
    run_cli: Any, field: Any, arguments: list[str], code: int, says: str
) -> None:
    outcome = run_cli(*arguments)
    assert (outcome.code, says in outcome.err) == (code, True), outcome.err
    assert not Path("field.vqc").exists()


def test_a_picture_has_no_bound(run_cli: Any, field: Any) -> None:
    Path("a.ppm").write_bytes(b"P5 4 4 255 " + bytes(16))
    outcome = run_cli("encode", "a.ppm", "--max-error", "1")
    assert (outcome.code, "has no --max-error" in outcome.err) == (2, True)


@pytest.mark.parametrize("command", ["decode", "info"])
def test_a_cut_array_is_not_sent_to_what_arrays_have_not(
    run_cli: Any, field: Any, command: str
) -> None:
    assert run_cli("encode", "field.npy", "--lossless", "--chunk", "16,50").code == 0
    whole = Path("field.vqc").read_bytes()
    Path("cut.vqc").write_bytes(whole[:-9])
    refused = run_cli(command, "cut.vqc")
    assert (refused.code, len(refused.err.splitlines())) == (1, 1)
    assert "only" in refused.err
    assert "--partial" not in refused.err
