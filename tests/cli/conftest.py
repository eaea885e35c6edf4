"""What the tests of the command share: running it, and small inputs for it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.bitstream import Chunk, Header, write_stream
from vqcodec_cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a command line left behind."""

    code: int
    out: str
    err: str


RunCli = Callable[..., Outcome]
Refusal = Callable[..., str]


@pytest.fixture
def run_cli(capsys: pytest.CaptureFixture[str]) -> RunCli:
    """Run the command in this process; arguments become strings."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """A small picture of odd sizes with edges and a gradient: uint8 (37, 53, 3)."""
    rows, columns = np.mgrid[0:37, 0:53]
    planes = [rows * 6, columns * 4, 255 * ((rows // 9 + columns // 7) % 2)]
    return np.stack(planes, axis=2).astype(np.uint8)


@pytest.fixture
def photo(tmp_path: Path, pixels: NDArray[np.uint8]) -> Path:
    """That picture as photo.png."""
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def stream_bytes() -> bytes:
    """A whole, valid stream of a model that is nowhere installed."""
    header = Header(
        medium=0,
        extent=(37, 53),
        channels=3,
        stages=4,
        prior=1,
        fingerprint=b"\x07" * 8,
        regions=1,
    )
    return write_stream(header, [Chunk("z", b"later")], [bytes(range(40))])


@pytest.fixture
def stream(tmp_path: Path, stream_bytes: bytes) -> Path:
    """That stream as photo.vqc."""
    path = tmp_path / "photo.vqc"
    path.write_bytes(stream_bytes)
    return path


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is small enough to make here: a transform codec with three stages."""
    import torch
    from tiny import tiny_config, write_tiny

    config = tiny_config(latent_dim=8, width=16, stages=3, codebook_size=12)
    rows, columns = np.mgrid[0:96, 0:128]
    planes = [rows * 2, columns * 2, 255 * ((rows // 9 + columns // 7) % 2)]
    samples = torch.from_numpy(np.stack(planes).astype(np.float32))[None] / 255
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    return write_tiny(path, config, samples, [samples[0]], name="tiny")


@pytest.fixture
def tiny_model(
    tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> str:
    """That model, installed for this test only; gives its name."""
    folder = tmp_path_factory.mktemp("models")
    (folder / tiny_weights.name).write_bytes(tiny_weights.read_bytes())
    monkeypatch.setenv("VQCODEC_MODELS", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    return "tiny"


@pytest.fixture
def good(run_cli: RunCli, photo: Path, tiny_model: str) -> bytes:
    """A whole stream of the small model, without anything optional."""
    path = photo.with_name("good.vqc")
    assert run_cli("encode", photo, "-m", tiny_model, "-o", path, "-q", 0).code == 0
    return path.read_bytes()


@pytest.fixture
def refused(run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """Run a command that must fail with one line about its input; gives the reason.

    The output exists already and may be overwritten: it must be left alone all the same. It lies
    in the test's own folder, which is the current one from here on.
    """
    monkeypatch.chdir(tmp_path)

    def run(code: int, command: str, name: str, *options: object) -> str:
        target = Path("old.png" if command == "decode" else "old.vqc")
        target.write_bytes(b"an older output")
        before = sorted(os.listdir())
        outcome = run_cli(command, name, "-f", "-o", target, *options)
        start = f"vqcodec: {name}: "
        assert (outcome.code, outcome.out) == (code, "")
        assert outcome.err.startswith(start)
        assert outcome.err.count("\n") == 1
        assert target.read_bytes() == b"an older output"
        assert sorted(os.listdir()) == before
        return str(outcome.err.removeprefix(start).rstrip("\n"))

    return run
