"""What the command does once, however many files there are: finding models, reading a file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqcodec.codec import Codec
from vqcodec.media import registry
from vqcodec.model import catalog

RunCli = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("tiny_model")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often models were searched for and loaded, and whole streams read."""
    found: dict[str, int] = {"looked": 0, "loaded": 0, "read": 0}

    def count(owner: object, name: str, what: str) -> None:
        function = getattr(owner, name)

        def counted(*values: Any, **named: Any) -> Any:
            found[what] += 1
            return function(*values, **named)

        monkeypatch.setattr(owner, name, counted)

    # Whoever lists the models asks for their folders, by whatever name it imported the list.
    count(catalog, "model_folders", "looked")
    count(registry, "read_stream", "read")
    count(Codec, "__init__", "loaded")
    return found


def copies(path: Path, count: int) -> list[str]:
    names = [f"copy-{number}{path.suffix}" for number in range(count)]
    for name in names:
        Path(name).write_bytes(path.read_bytes())
    return names


@pytest.mark.parametrize("model", [["-m", "tiny"], []], ids=["named", "default"])
@pytest.mark.parametrize("count", [1, 3])
def test_encode(
    run_cli: RunCli, photo: Path, counts: dict[str, int], model: list[str], count: int
) -> None:
    assert run_cli("encode", *copies(photo, count), *model).code == 0
    assert counts == {"looked": 1, "loaded": 1, "read": 0}


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("count", [1, 3])
def test_decode(run_cli: RunCli, counts: dict[str, int], count: int) -> None:
    names = copies(Path("good.vqc"), count)
    counts.update(dict.fromkeys(counts, 0))
    assert run_cli("decode", *names).code == 0
    assert counts == {"looked": 1, "loaded": 1, "read": count}


@pytest.mark.usefixtures("good")
def test_decode_with_a_model_by_its_path(
    run_cli: RunCli, counts: dict[str, int], tiny_weights: Path
) -> None:
    counts.update(dict.fromkeys(counts, 0))
    assert run_cli("decode", "good.vqc", "-o", "x.png", "-m", tiny_weights).code == 0
    assert counts == {"looked": 0, "loaded": 1, "read": 1}


@pytest.mark.parametrize(("command", "looks"), [("info", 1), ("verify", 0)])
def test_info_and_verify(
    run_cli: RunCli, stream: Path, counts: dict[str, int], command: str, looks: int
) -> None:
    assert run_cli(command, *copies(stream, 3)).code == 0
    assert counts == {"looked": looks, "loaded": 0, "read": 3}


@pytest.mark.usefixtures("good")
def test_nothing_is_kept_from_one_command_to_the_next(
    run_cli: RunCli, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VQCODEC_MODELS", "")
    assert "not installed" in run_cli("info", "good.vqc").out
    run_cli("models", "add", tiny_weights)
    assert "tiny-1" in run_cli("info", "good.vqc").out


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="there is no /dev/fd here")
@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("output", [["-o", "x.png"], []], ids=["named", "by the pipe"])
def test_a_pipe_by_name_is_read_once(run_cli: RunCli, output: list[str]) -> None:
    """Looking at its first bytes, to choose a suffix, would take them away."""
    read, write = os.pipe()
    try:
        os.symlink(f"/dev/fd/{read}", "pipe.vqc")
        with open(write, "wb") as pipe:
            pipe.write(Path("good.vqc").read_bytes())
        assert run_cli("decode", "pipe.vqc", *output).code == 0
    finally:
        os.close(read)
    assert Path(output[1] if output else "pipe.png").stat().st_size > 0
