"""Inputs that are not on a disk of this machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

RunCli = Callable[..., Any]
Refusal = Callable[..., str]


@pytest.fixture(autouse=True)
def remote(good: bytes, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream and a picture in fsspec's memory; the folder holds nothing of it."""
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe("/in/a.vqc", good)
    memory.pipe("/in/b.png", photo.read_bytes())
    photo.unlink()
    monkeypatch.chdir(tmp_path)


def test_a_stream_by_url(run_cli: RunCli) -> None:
    assert run_cli("decode", "memory://in/a.vqc").code == 0
    outcome = run_cli("decode", "memory://in/a.vqc", "--region", "11,7,20,9", "-o", "part.png")
    assert (outcome.code, outcome.err) == (0, "")
    with Image.open("a.png") as whole, Image.open("part.png") as part:
        assert whole.crop((11, 7, 31, 16)).tobytes() == part.tobytes()
    assert "53 x 37" in run_cli("info", "memory://in/a.vqc").out
    assert run_cli("verify", "memory://in/a.vqc").code == 0


def test_a_picture_by_url(run_cli: RunCli, tiny_model: str) -> None:
    assert run_cli("encode", "memory://in/b.png", "-m", tiny_model).code == 0
    assert Path("b.vqc").exists()


def test_urls_that_lead_nowhere(refused: Refusal) -> None:
    for options in ((), ("--region", "0,0,5,5")):
        assert refused(1, "decode", "memory://in/missing.vqc?x=*", *options) == "no such file"


def test_urls_have_no_times(run_cli: RunCli) -> None:
    outcome = run_cli("decode", "memory://in/a.vqc", "--keep-times")
    says = "vqcodec: --keep-times needs files: pipes and URLs have no times\n"
    assert (outcome.code, outcome.err) == (2, says)
