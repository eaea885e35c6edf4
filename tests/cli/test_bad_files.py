"""Files and folders that cannot be read or written: exit code 4, and nothing changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., Any]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", ["encode", "decode", "info", "verify"])
@pytest.mark.usefixtures("tiny_model")
def test_directory_without_anything_to_do(run_cli: RunCli, command: str) -> None:
    Path("folder").mkdir()
    outcome = run_cli(command, "folder")
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.startswith("vqcodec: folder: is a folder without ")


@pytest.mark.parametrize("command", ["encode", "decode", "info", "verify"])
@pytest.mark.usefixtures("tiny_model")
def test_missing_input(run_cli: RunCli, command: str) -> None:
    model = ["-m", "tiny"] if command == "encode" else []
    outcome = run_cli(command, "missing.x", *model)
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err == "vqcodec: missing.x: no such file or directory\n"


@pytest.mark.usefixtures("photo", "good")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["encode", "photo.png", "-m", "tiny", "-o", "no/x.vqc"], "no folder"),
        (["decode", "good.vqc", "-o", "no/x.png"], "no folder"),
        (["encode", "photo.png", "-m", "tiny", "-o", "good.vqc"], "exists already"),
        (["decode", "good.vqc", "-o", "photo.png"], "exists already"),
    ],
)
def test_output_that_cannot_or_must_not_be_written(
    run_cli: RunCli, arguments: list[str], why: str
) -> None:
    before = {path: path.read_bytes() for path in Path().iterdir()}
    outcome = run_cli(*arguments)
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.startswith(f"vqcodec: {arguments[1]}: ")
    assert why in outcome.err
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.usefixtures("photo")
def test_output_equal_to_input(run_cli: RunCli) -> None:
    before = Path("photo.png").read_bytes()
    for name in ("photo.png", "./photo.png"):
        outcome = run_cli("encode", "photo.png", "-m", "tiny", "-f", "-o", name)
        assert outcome.code == 2
        assert "is an input" in outcome.err
    assert Path("photo.png").read_bytes() == before


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
@pytest.mark.usefixtures("photo", "tiny_model")
def test_no_memory(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    from vqcodec.codec import Codec

    def encode(*_: object, **__: object) -> bytes:
        raise error

    monkeypatch.setattr(Codec, "encode", encode)
    outcome = run_cli("encode", "photo.png", "-m", "tiny")
    assert (outcome.code, outcome.err) == (4, "vqcodec: photo.png: out of memory\n")
