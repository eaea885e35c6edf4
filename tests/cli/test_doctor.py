"""vqcodec doctor: what it says of this machine is so, and what is broken has an exit code."""

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import vqcodec
from vqcodec_kernels.search.level import LEVELS

RunCli = Callable[..., Any]


def report(run_cli: RunCli) -> dict[str, Any]:
    outcome = run_cli("doctor", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found: dict[str, Any] = json.loads(outcome.out)
    return found


@pytest.mark.usefixtures("tiny_model")
def test_it_says_what_is_here(run_cli: RunCli) -> None:
    found = report(run_cli)
    assert found["vqcodec"] == vqcodec.__version__
    assert found["python"] == platform.python_version()
    assert found["torch"] == torch.__version__
    assert found["cpu_levels"] == list(LEVELS)
    assert len(found["gpus"]) == torch.cuda.device_count()
    assert found["packages"][""]["numpy"] == np.__version__
    assert "tiny-1" in [model["name"] for model in found["models"]]
    cards = {card.label: card.fingerprint for card in vqcodec.list_models()}
    assert {model["name"]: model["fingerprint"] for model in found["models"]} == cards
    assert all(folder["writable"] for folder in found["folders"])


def test_extras_are_present_or_missing(run_cli: RunCli) -> None:
    packages = report(run_cli)["packages"]
    assert "shtab" in packages["desktop"]
    assert not {"test", "check", "docs"} & set(packages)
    text = run_cli("doctor").out
    for extra, needed in packages.items():
        start = f"[{extra}]" if extra else "needed"
        line = next(line for line in text.splitlines() if line.startswith(start))
        for name, version in needed.items():
            assert f"{name} {version or 'missing'}" in line


def test_the_home_of_nobody_is_shown(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VQCODEC_MODELS", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    paths = [folder["path"] for folder in report(run_cli)["folders"]]
    assert "~/.local/share/vqcodec/models" in paths


def test_what_is_broken_is_said(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no model")
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path))
    monkeypatch.setenv("VQCODEC_CPU_LEVEL", "abacus")
    outcome = run_cli("doctor")
    assert outcome.code == 4
    lines = outcome.err.splitlines()
    assert any("CPU level must be one of" in line and "abacus" in line for line in lines)
    assert any("bad.safetensors: not a safetensors file" in line for line in lines)
    assert f"VQCODEC_MODELS={tmp_path}" in outcome.out
