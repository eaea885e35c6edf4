"""What the commands say about a file, to people and to machines."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("tiny_model")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("photo")
def test_json_says_what_was_done(run_cli: RunCli) -> None:
    record = json.loads(run_cli("encode", "photo.png", "-m", "tiny", "--json").out)
    size = Path("photo.vqc").stat().st_size
    assert record.pop("seconds") > 0
    assert record == {
        "input": "photo.png",
        "output": "photo.vqc",
        "medium": "picture",
        "height": 37,
        "width": 53,
        "bytes": size,
        "bpp": 8 * size / (53 * 37),
        "quality": 50.0,
    }
    record = json.loads(run_cli("decode", "photo.vqc", "-o", "b.png", "--json").out)
    assert record.pop("seconds") > 0
    assert record == {
        "input": "photo.vqc",
        "output": "b.png",
        "medium": "picture",
        "height": 37,
        "width": 53,
        "bytes": Path("b.png").stat().st_size,
    }


@pytest.mark.usefixtures("photo")
def test_info_tells_what_encode_wrote(run_cli: RunCli) -> None:
    run_cli("encode", "photo.png", "-m", "tiny", "-q", 100)
    record = json.loads(run_cli("info", "photo.vqc", "--json").out)
    size = Path("photo.vqc").stat().st_size
    code_bytes = record.pop("code_bytes")
    assert 0 < code_bytes < size
    fingerprint = record.pop("fingerprint")
    assert record == {
        "input": "photo.vqc",
        "format_version": 1,
        "medium": "picture",
        "height": 37,
        "width": 53,
        "channels": 3,
        "stages": 3,
        "prior": record["prior"],
        "regions": 1,
        "file_bytes": size,
        "bpp": 8 * size / (53 * 37),
        "alpha_bytes": 0,
        "icc_bytes": 0,
        "exif_bytes": 0,
        "other_chunks": "",
        "installed_model": "tiny-1",
    }
    assert run_cli("info", "photo.vqc").out.splitlines() == [
        "photo.vqc",
        "  picture   53 x 37 RGB",
        f"  file      {size:,} bytes, {8 * size / (53 * 37):.3f} bpp",
        f"  codes     {code_bytes:,} bytes, 1 region, 3 stages, {record['prior']} prior",
        "  beside    nothing",
        f"  model     tiny-1 ({fingerprint})",
        "  format    version 1",
    ]
    assert run_cli("verify", "photo.vqc").out == "photo.vqc: ok\n"


@pytest.mark.usefixtures("photo")
@pytest.mark.parametrize("target", ["--bpp", "--size", "--psnr", "-q"])
def test_the_quality_that_was_found_is_said(run_cli: RunCli, target: str) -> None:
    """Asked for by itself it gives the same file."""
    wanted = {"--bpp": 1.5, "--size": 300, "--psnr": 13.0, "-q": 37.5}[target]
    arguments = ["encode", "photo.png", "-m", "tiny", "-f", target, wanted]
    record = json.loads(run_cli(*arguments, "--json").out)
    data = Path("photo.vqc").read_bytes()
    text = run_cli(*arguments).out
    assert f" bpp, quality {record['quality']:.4g}, " in text
    run_cli("encode", "photo.png", "-m", "tiny", "-f", "-q", repr(record["quality"]))
    assert Path("photo.vqc").read_bytes() == data
    assert (record["quality"] == wanted) == (target == "-q")
