"""vqcodec models: what is here, and how another model gets here."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., Any]


def test_list_has_every_model_with_its_fingerprint(run_cli: RunCli, tiny_model: str) -> None:
    records = [json.loads(line) for line in run_cli("models", "--json").out.splitlines()]
    by_name = {record["name"]: record for record in records}
    assert by_name[tiny_model]["note"] == "made by a test"
    assert by_name[tiny_model]["config"]["quantizer"]["codebook_size"] == 12
    text = run_cli("models").out
    assert text == run_cli("models", "list").out
    for record in records:
        line = next(line for line in text.splitlines() if line.startswith(record["name"] + " "))
        assert record["fingerprint"] in line
        assert record["path"] in line


@pytest.mark.usefixtures("tiny_model")
def test_show_by_name_and_by_fingerprint(run_cli: RunCli) -> None:
    by_name = json.loads(run_cli("models", "show", "tiny", "--json").out)
    by_fingerprint = run_cli("models", "show", by_name["fingerprint"], "--json").out
    assert json.loads(by_fingerprint) == by_name
    text = run_cli("models", "show", "tiny").out
    assert text.startswith("tiny\n")
    assert "made by a test" in text


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
    assert added.out.startswith("added tiny (")
    assert run_cli("encode", photo, "-m", "tiny").code == 0
    assert run_cli("decode", tmp_path / "photo.vqc", "-o", tmp_path / "back.png").code == 0
