"""A device or backend that was asked for and is not here: exit code 4, one line, no fallback."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

RunCli = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("tiny_model", "photo", "good")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def digits() -> Path:
    """An IDX file of 300 pictures, which the recipe of that name trains on in a second."""
    values = np.random.default_rng(0).integers(0, 256, (300, 28, 28), dtype=np.uint8)
    path = Path("digits.idx")
    path.write_bytes(b"\0\0\x08\x03" + struct.pack(">3I", *values.shape) + values.tobytes())
    return path


TRAIN = ["train", "digits.idx", "--recipe", "digits", "--steps", "1"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    "arguments",
    [
        ["encode", "photo.png", "-m", "tiny", "-o", "x.vqc"],
        ["decode", "good.vqc", "-o", "x.png"],
        [*TRAIN, "-o", "x.safetensors"],
    ],
    ids=lambda arguments: str(arguments[0]),
)
@pytest.mark.usefixtures("digits")
def test_gpu(run_cli: RunCli, arguments: list[str]) -> None:
    outcome = run_cli(*arguments, "--device", "cuda")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (4, "", 1)
    assert outcome.err.startswith("vqcodec: ")
    assert "'cuda' was asked for" in outcome.err
    assert not Path(arguments[-1]).exists()


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        (["encode", "photo.png", "-m", "tiny", "-o", "x.vqc"], "photo.png: "),
        (["encode", "photo.png", "-o", "x.vqc"], "photo.png: "),
        ([*TRAIN, "-o", "x.safetensors"], ""),
    ],
    ids=["encode", "encode with the default model", "train"],
)
@pytest.mark.usefixtures("digits")
def test_cpu_level(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, arguments: list[str], subject: str
) -> None:
    monkeypatch.setenv("VQCODEC_CPU_LEVEL", "bogus")
    outcome = run_cli(*arguments, "--device", "cpu")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (4, "", 1)
    assert outcome.err.startswith(f"vqcodec: {subject}CPU level must be one of ")
    assert "'bogus'" in outcome.err
    assert not Path(arguments[-1]).exists()


@pytest.mark.parametrize(
    "arguments",
    [["info", "good.vqc"], ["verify", "good.vqc"], ["decode", "good.vqc", "-o", "x.png"]],
)
def test_what_searches_nothing_does_not_ask_for_a_level(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("VQCODEC_CPU_LEVEL", "bogus")
    outcome = run_cli(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
