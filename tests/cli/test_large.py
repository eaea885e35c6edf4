"""Large pictures through the command: by rows, the same files, and nothing half written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vqcodec.media.picture import large
from vqcodec.media.picture.medium import MEDIUM

RunCli = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("tiny_model", "photo")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def whole(run_cli: RunCli, photo: Path) -> bytes:
    """The stream of a picture that was read whole."""
    assert run_cli("encode", "photo.png", "-m", "tiny", "-o", "whole.vqc").code == 0
    return Path("whole.vqc").read_bytes()


def refuse(*_: Any) -> Any:
    raise AssertionError("the picture was held whole")


def test_a_large_picture_goes_both_ways_by_rows(
    run_cli: RunCli, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyvips")
    assert run_cli("decode", "whole.vqc", "-o", "whole.png").code == 0
    monkeypatch.setattr(large, "_LARGE_PIXELS", 99)
    monkeypatch.setattr(MEDIUM, "read", refuse)
    monkeypatch.setattr(MEDIUM, "from_samples", refuse)
    assert run_cli("encode", "photo.png", "-m", "tiny").code == 0
    assert Path("photo.vqc").read_bytes() == whole
    for output in ("back.png", "back.tif"):
        found = run_cli("decode", "photo.vqc", "-o", output, "--max-samples", 37 * 53)
        assert (found.code, found.err) == (0, "")
        with Image.open(output) as back, Image.open("whole.png") as wanted:
            np.testing.assert_array_equal(np.asarray(back), np.asarray(wanted))
    assert run_cli("decode", "photo.vqc", "-o", "back.tif").code == 4


def test_a_limit_holds_for_large_pictures(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyvips")
    monkeypatch.setattr(large, "_LARGE_PIXELS", 99)
    found = run_cli("encode", "photo.png", "-m", "tiny", "--max-samples", 1000)
    assert (found.code, Path("photo.vqc").exists()) == (1, False)
    assert "photo.png: the picture has 53 x 37 pixels, more than the limit of 1000" in found.err


def test_a_large_picture_that_is_cut_is_one_line(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyvips")
    monkeypatch.setattr(large, "_LARGE_PIXELS", 99)
    data = Path("photo.png").read_bytes()
    Path("cut.png").write_bytes(data[: len(data) * 2 // 3])
    found = run_cli("encode", "cut.png", "-m", "tiny")
    assert (found.code, Path("cut.vqc").exists()) == (1, False)
    assert found.err.startswith("vqcodec: cut.png: the picture is damaged or cut off: ")
    assert found.err.count("\n") == found.err.count("cut.png") == 1


def test_a_large_output_that_fails_leaves_nothing(
    run_cli: RunCli, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "_LARGE_PIXELS", 99)
    monkeypatch.setattr("vqcodec.media.picture.png_rows._filtered", full_disk)
    before = sorted(Path().iterdir())
    found = run_cli("decode", "whole.vqc", "-o", "back.png")
    assert (found.code, found.err) == (4, "vqcodec: whole.vqc: no space left on device\n")
    assert sorted(Path().iterdir()) == before


def full_disk(*_: Any) -> bytes:
    raise OSError(28, "No space left on device")
