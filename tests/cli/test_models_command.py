"""vqcodec models: what is here, and how another model gets here."""

import json
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqcodec.model.file import read_model, write_model

RunCli = Callable[..., Any]


def test_list_has_every_model_with_its_fingerprint(run_cli: RunCli, tiny_model: str) -> None:
    records = [json.loads(line) for line in run_cli("models", "--json").out.splitlines()]
    by_name = {record["name"]: record for record in records}
    assert by_name[tiny_model]["note"] == "made by a test"
    assert by_name[tiny_model]["config"]["quantizer"]["codebook_size"] == 12
    text = run_cli("models").out
    assert text == run_cli("models", "list").out
    # Restorers and generators say their kind, and have no fingerprint of their own.
    for record in (record for record in records if "kind" not in record):
        label = f"{record['name']}-{record['generation']}"
        line = next(line for line in text.splitlines() if line.startswith(label + " "))
        assert record["fingerprint"] in line
        assert record["path"] in line


@pytest.mark.usefixtures("tiny_model")
def test_show_by_name_and_by_fingerprint(run_cli: RunCli) -> None:
    by_name = json.loads(run_cli("models", "show", "tiny", "--json").out)
    for key in (by_name["fingerprint"], "tiny-1"):
        assert json.loads(run_cli("models", "show", key, "--json").out) == by_name
    text = run_cli("models", "show", "tiny").out
    assert text.startswith("tiny-1\n")
    assert "made by a test" in text


def test_a_second_generation(
    run_cli: RunCli, tiny_weights: Path, tiny_model: str, photo: Path, tmp_path: Path
) -> None:
    """Both can be had by name; what the first has written still needs the first."""
    card, tensors = read_model(tiny_weights)
    tensors["made.for"] = np.zeros(1, np.uint8)
    newer = write_model(
        tmp_path / "n.safetensors", tiny_model, card.config, tensors, {"generation": 2}
    )
    assert run_cli("models", "add", newer.path).out.startswith(f"added tiny-2 ({newer.fingerprint}")
    for key, label in (("tiny", "tiny-2"), ("tiny-1", "tiny-1"), ("tiny-2", "tiny-2")):
        assert run_cli("encode", photo, "-f", "-m", key).code == 0
        record = json.loads(run_cli("info", tmp_path / "photo.vqc", "--json").out)
        assert record["installed_model"] == label
        assert f" {label} (" in run_cli("info", tmp_path / "photo.vqc").out
    assert json.loads(run_cli("models", "show", "tiny", "--json").out)["generation"] == 2


@pytest.mark.usefixtures("tiny_model")
def test_show_of_an_unknown_model_says_where_it_looked(run_cli: RunCli) -> None:
    outcome = run_cli("models", "show", "nowhere")
    assert (outcome.code, outcome.out) == (3, "")
    assert os.environ["VQCODEC_MODELS"] in outcome.err


def test_added_model_encodes_and_decodes(
    run_cli: RunCli,
    tiny_weights: Path,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VQCODEC_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert run_cli("encode", photo, "-m", "tiny").code == 3
    added = run_cli("models", "add", tiny_weights)
    assert (added.code, added.err) == (0, "")
    assert added.out.startswith("added tiny-1 (")
    assert run_cli("encode", photo, "-m", "tiny").code == 0
    assert run_cli("decode", tmp_path / "photo.vqc", "-o", tmp_path / "back.png").code == 0


def test_full_disk_is_one_line_and_leaves_nothing(
    run_cli: RunCli, tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file may grow beyond a limit: the system refuses that as it refuses a full disk."""
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        outcome = run_cli("models", "add", tiny_weights)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (outcome.code, outcome.out, outcome.err) == (4, "", "vqcodec: file too large\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("tiny_model")
def test_a_model_that_is_built_in_is_not_listed_twice(run_cli: RunCli) -> None:
    before = run_cli("models").out
    path = json.loads(run_cli("models", "show", "photo", "--json").out)["path"]
    outcome = run_cli("models", "add", path)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("had already photo-1 (")
    assert path in outcome.out
    assert run_cli("models").out == before


def test_a_model_is_removed(
    run_cli: RunCli, tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VQCODEC_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    before = run_cli("models").out
    for key in (
        "tiny",
        "tiny-1",
        json.loads(run_cli("models", "add", tiny_weights, "--json").out)["fingerprint"],
    ):
        run_cli("models", "add", tiny_weights)
        outcome = run_cli("models", "remove", key)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith("removed tiny-1 (")
        assert run_cli("models").out == before
    assert run_cli("models", "remove", "tiny").code == 3
    assert tiny_weights.is_file()


def test_what_is_built_in_stays(run_cli: RunCli, tiny_model: str) -> None:
    before = run_cli("models").out
    outcome = run_cli("models", "remove", "photo")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err == "vqcodec: photo-1 is built in and cannot be removed\n"
    assert run_cli("models").out == before
    assert run_cli("models", "remove", tiny_model, "--json").code == 0


@pytest.mark.usefixtures("tiny_model")
def test_a_copy_of_what_is_built_in_can_be_removed(run_cli: RunCli) -> None:
    """An earlier version had made it."""
    record = json.loads(run_cli("models", "show", "photo", "--json").out)
    copy = Path(os.environ["VQCODEC_MODELS"], "copy.safetensors")
    copy.write_bytes(Path(record["path"]).read_bytes())
    assert run_cli("models", "remove", "photo").code == 0
    assert not copy.exists()
    assert Path(record["path"]).is_file()


def test_help_speaks_of_models(run_cli: RunCli) -> None:
    for command in ((), ("list",), ("show",), ("add",), ("remove",)):
        text = " ".join(run_cli("models", *command, "--help").out.split())
        assert "print one line of JSON for each model" in text
