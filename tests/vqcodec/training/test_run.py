"""One call of `train`: what it notes about the model that it writes."""

import struct
from pathlib import Path

import numpy as np
import pytest

from vqcodec.model.built_in import PUBLISHED
from vqcodec.model.catalog import add_model
from vqcodec.training import train


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Forty pictures of 28 x 28 as an IDX file."""
    pictures = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    path = tmp_path / "pictures.idx"
    path.write_bytes(struct.pack(">IIII", 0x803, *pictures.shape) + pictures.tobytes())
    return path


def test_generation(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts on from what is installed, was published, or was started from, of one name."""
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def trained(folder: str, name: str, start_from: Path | None = None) -> tuple[Path, str]:
        path = tmp_path / folder / f"{name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        card = train(source, path, steps=1, recipe="digits", device="cpu", start_from=start_from)
        assert card is not None
        return path, card.label

    first, label = trained("a", "zip")
    assert label == "zip-1"
    second, label = trained("b", "zip", first)
    assert label == "zip-2"
    assert trained("c", "zip") == (tmp_path / "c" / "zip.safetensors", "zip-1")
    assert trained("d", "zap", second)[1] == "zap-1"
    add_model(second)
    assert trained("e", "zip", first)[1] == "zip-3"
    monkeypatch.setitem(PUBLISHED, "0" * 16, ("photo", 41))
    assert trained("f", "photo")[1] == "photo-42"
