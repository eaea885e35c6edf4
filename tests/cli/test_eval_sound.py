"""vqcodec eval on sounds: peers alone, the curves, and the page with players."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqcodec.errors import MissingDependencyError
from vqcodec.evaluation import find_peer
from vqcodec.media.registry import find_workshop

RunCli = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two short sounds of 16 and 24 kHz."""
    soundfile = pytest.importorskip("soundfile")
    monkeypatch.chdir(tmp_path)
    clips = Path("clips")
    clips.mkdir()
    random = np.random.default_rng(0)
    for name, rate in (("a", 16000), ("b<c", 24000)):
        time = np.arange(rate) / rate
        swelling = np.sin(2 * np.pi * (200 + 900 * time) * time) * np.sin(9 * time) ** 2
        samples = 0.2 * swelling + random.normal(0, 0.01, rate)
        soundfile.write(clips / f"{name}.flac", samples, rate)
    try:
        find_peer(find_workshop("sound"), "opus")
    except MissingDependencyError as error:
        pytest.skip(str(error))
    return clips


def test_peers_are_measured_without_a_model_and_shown_with_players(
    run_cli: RunCli, folder: Path
) -> None:
    arguments = ("eval", folder, "-m", "", "--against", "opus", "--page", "-o", "out")
    outcome = run_cli(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("out/page.html\n")
    content = json.loads(Path("out/results.json").read_text())
    assert content["signals"] == "2 sounds of clips"
    assert content["rate"]["unit"] == "kbps"
    (codec,) = content["codecs"]
    assert (codec["name"], codec["counted"]) == ("opus", "packets")
    assert list(content["measures"]) == ["mel", "si-sdr", "log-spectral"]
    far = [point["values"]["mel"] for point in content["points"]]
    assert far[0] > far[-1]
    tables = Path("out/tables.md").read_text()
    assert "| mel distance dB (lower is better) at kbps | 1.5 | 3 | 6 | 12 |" in tables
    assert "Rates count the packets of opus." in tables

    page = Path("out/page.html").read_text()
    assert "<h2>b&lt;c.flac</h2>" in page
    # Each original, and Opus near 6 and 12 kbit/s.
    players = len(re.findall("<audio controls", page))
    assert players == page.count("<figure>")
    assert 4 <= players <= 6
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)"', page))


def test_a_page_is_not_overwritten_without_force(run_cli: RunCli, folder: Path) -> None:
    Path("out").mkdir()
    Path("out/page.html").write_text("old")
    arguments = ("eval", folder, "-m", "", "--against", "opus", "--page", "1", "-o", "out")
    outcome = run_cli(*arguments)
    assert outcome.code == 4
    assert "exists already" in outcome.err
    assert Path("out/page.html").read_text() == "old"
