"""Models that are missing, damaged or malicious: exit code 3, and nothing is run."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqcodec.model.catalog import find_model

RunCli = Callable[..., Any]
Refusal = Callable[..., str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_unknown_model_says_fingerprint_and_where_it_looked(
    refused: Refusal, stream: Path, tiny_model: str
) -> None:
    assert stream.exists()
    reason = refused(3, "decode", "photo.vqc")
    assert "07" * 8 in reason
    assert os.environ["VQCODEC_MODELS"] in reason
    assert tiny_model == "tiny"


@pytest.mark.usefixtures("tiny_model", "photo", "good")
def test_model_that_is_not_the_stream_s_own(refused: Refusal) -> None:
    fingerprint = find_model("tiny").fingerprint
    reason = refused(3, "decode", "good.vqc", "-m", "photo")
    assert reason.startswith(f"needs the model {fingerprint}, this one is photo-1 (")


@pytest.mark.usefixtures("tiny_model")
def test_info_of_a_stream_whose_model_is_nowhere(run_cli: RunCli, stream: Path) -> None:
    assert f"  model     not installed ({'07' * 8})\n" in run_cli("info", stream).out
    assert json.loads(run_cli("info", stream, "--json").out)["installed_model"] is None


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
    assert outcome.code == 3
    assert outcome.err.startswith("vqcodec: ")
    assert outcome.err.count("\n") == 1
    assert not Path("x.vqc").exists()
