"""Pictures of more than eight bits, from file to file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

RunCli = Callable[..., Any]
Refusal = Callable[..., str]


@pytest.fixture(autouse=True)
def stream(
    run_cli: RunCli, tiny_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve bits in a file of sixteen, 53 x 37, as xray.vqc."""
    monkeypatch.chdir(tmp_path)
    rows, columns = np.mgrid[0:37, 0:53]
    Image.fromarray((100 + rows * 70 + columns * 25).astype(np.uint16)).save("xray.png")
    assert run_cli("encode", "xray.png", "-m", tiny_model, "-q", "100").code == 0


def test_eight_bits_are_seen_and_sixteen_come_back(run_cli: RunCli) -> None:
    assert run_cli("decode", "xray.vqc", "-o", "seen.png").code == 0
    with Image.open("seen.png") as image:
        assert image.mode == "L"
        assert np.ptp(np.asarray(image)) > 180
    for name in ("back.png", "back.tiff"):
        assert run_cli("decode", "xray.vqc", "--bits", "16", "-o", name).code == 0
        with Image.open(name) as image, Image.open("xray.png") as original:
            back, wanted = np.asarray(image), np.asarray(original)
        assert back.dtype == np.uint16
        assert 100 <= back.min() <= back.max() <= wanted.max()
        assert np.corrcoef(back.ravel(), wanted.ravel())[0, 1] > 0.9


def test_info_says_the_range(run_cli: RunCli) -> None:
    assert "lowest 100, highest 3920, bits 16" in run_cli("info", "xray.vqc").out


def test_bits_that_there_are_not(refused: Refusal) -> None:
    says = refused(2, "decode", "xray.vqc", "--bits", "12", "-o", "back.png")
    assert "a picture is decoded with 8 or 16, got --bits 12" in says
    says = refused(1, "decode", "xray.vqc", "--bits", "16", "-o", "back.jpg")
    assert "jpeg is written with eight bits, not 16: write PNG or TIFF" in says
    assert not list(Path().glob("back.*"))
