"""How good alpha is, from file to file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

RunCli = Callable[..., Any]
Refusal = Callable[..., str]


def test_alpha_is_as_near_as_asked(
    run_cli: RunCli, tiny_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:61, :83]
    alpha = np.clip(400 - np.hypot(y - 30, x - 40) * 12, 0, 255).astype(np.uint8)
    Image.fromarray(np.dstack([np.full_like(alpha, 80), alpha])).save("soft.png")
    sizes = []
    for quality, off in (("100", 0), ("60", 2), ("20", 8)):
        flags = ("-m", tiny_model, "--alpha-quality", quality, "--force")
        assert run_cli("encode", "soft.png", *flags).code == 0
        assert run_cli("decode", "soft.vqc", "-o", "back.png", "--force").code == 0
        with Image.open("back.png") as image:
            back = np.asarray(image)[:, :, -1]
        assert np.abs(back.astype(int) - alpha).max() == off
        assert (back[alpha == 0] == 0).all()
        assert (back[alpha == 255] == 255).all()
        sizes.append(json.loads(run_cli("info", "soft.vqc", "--json").out)["alpha_bytes"])
    assert sizes[0] > sizes[1] > sizes[2]


def test_alpha_quality_is_refused_where_there_is_none(
    refused: Refusal, run_cli: RunCli, tmp_path: Path
) -> None:
    np.save(tmp_path / "field.npy", np.zeros(9))
    says = refused(2, "encode", str(tmp_path / "field.npy"), "--alpha-quality", "50")
    assert "array has no alpha_quality, got 50" in says
    outcome = run_cli("encode", "soft.png", "--alpha-quality", "101")
    assert (outcome.code, "--alpha-quality: 101 is not from 0 to 100" in outcome.err) == (2, True)
