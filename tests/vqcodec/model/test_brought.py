"""Models that come by URL or through a pipe: whole, checked, and only the one that is wanted."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from range_server import Served, serve

import vqcodec
from vqcodec.errors import BadModelError, InputError
from vqcodec.model import brought
from vqcodec.model.brought import brought_model
from vqcodec.model.file import read_card

pytest.importorskip("fsspec")


@pytest.fixture
def weights(tiny_path: Path) -> bytes:
    return tiny_path.read_bytes()


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are added, empty."""
    folder = tmp_path / "models"
    monkeypatch.setenv("VQCODEC_MODELS", str(folder))
    return folder


@pytest.fixture(params=[True, False], ids=["ranges", "no-ranges"])
def server(request: pytest.FixtureRequest, weights: bytes) -> Iterator[Served]:
    damaged = weights[:-40] + bytes(40)
    files = {"a.safetensors": weights, "damaged.safetensors": damaged, "page.html": b"<html>" * 99}
    with serve(files, ranges=request.param) as served:
        yield served


def test_a_model_is_added_by_url(server: Served, weights: bytes, models: Path) -> None:
    card = vqcodec.add_model(f"{server.url}/a.safetensors")
    assert card.path.parent == models
    assert card.path.read_bytes() == weights
    again = vqcodec.add_model(f"{server.url}/a.safetensors", fingerprint=card.fingerprint)
    assert again == card


@pytest.mark.parametrize("name", ["damaged.safetensors", "page.html", "missing.safetensors"])
def test_what_is_none_is_refused_by_its_url(server: Served, models: Path, name: str) -> None:
    url = f"{server.url}/{name}"
    with pytest.raises((BadModelError, InputError)) as refused:
        vqcodec.add_model(url)
    assert str(refused.value).startswith(f"{url}: ")
    assert not models.exists()


def test_another_fingerprint_is_refused(server: Served, models: Path) -> None:
    with pytest.raises(BadModelError, match=r"its fingerprint is .*, wanted was 0123456789abcdef"):
        vqcodec.add_model(f"{server.url}/a.safetensors", fingerprint="0123456789abcdef")
    assert not models.exists()


def test_another_fingerprint_of_a_path_is_refused(tiny_path: Path, models: Path) -> None:
    with pytest.raises(BadModelError, match="wanted was 0123456789abcdef"):
        vqcodec.add_model(tiny_path, fingerprint="0123456789abcdef")
    vqcodec.add_model(tiny_path, fingerprint=read_card(tiny_path).fingerprint)
    assert len(list(models.iterdir())) == 1


@pytest.mark.parametrize("fingerprint", ["", "0123", "0123456789ABCDEF", "0123456789abcdef0"])
def test_what_is_no_fingerprint(tiny_path: Path, fingerprint: str) -> None:
    with pytest.raises(InputError, match="16 digits"):
        vqcodec.add_model(tiny_path, fingerprint=fingerprint)


def test_too_much_is_refused_before_it_is_there(
    server: Served, monkeypatch: pytest.MonkeyPatch, models: Path
) -> None:
    monkeypatch.setattr(brought, "MAX_FILE_BYTES", 1000)
    with pytest.raises(BadModelError, match="1000"):
        vqcodec.add_model(f"{server.url}/a.safetensors")
    assert not models.exists()


def test_another_model_is_not_brought_whole(
    weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header tells, and no more is read of an endless pipe."""
    monkeypatch.setattr(brought, "_BLOCK_BYTES", 4096)
    size = 8 + int.from_bytes(weights[:8], "little")
    monkeypatch.setattr(brought, "MAX_HEADER_BYTES", size)

    class Endless(io.RawIOBase):
        given = 0

        def read(self, count: int = -1) -> bytes:
            data = weights[self.given : self.given + count]
            self.given += count
            return data.ljust(count, b"\0")

    pipe: Any = Endless()
    with (
        pytest.raises(BadModelError, match=r"^-: its fingerprint"),
        brought_model(pipe, fingerprint="0" * 16),
    ):
        pass
    assert pipe.given < size + 3 * 4096


def test_the_copy_is_gone_afterwards(weights: bytes) -> None:
    told: list[tuple[int, int | None]] = []
    with brought_model(io.BytesIO(weights), progress=lambda *state: told.append(state)) as path:
        assert path.read_bytes() == weights
    assert not os.path.exists(path)
    assert told[-1] == (len(weights), None)
