"""The peers: real files by other libraries, on one thread."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from vqcodec.errors import MissingDependencyError
from vqcodec.media.picture import pillow_codec
from vqcodec.media.picture.peers import PEERS
from vqcodec.media.picture.signal import Picture
from vqcodec.media.workshop import Contestant


@pytest.fixture(scope="module")
def picture() -> Picture:
    """Waves, a gradient, blocks and noise: RGB, 205 x 171."""
    rows, columns = np.mgrid[0:171, 0:205]
    planes = [
        128 + 80 * np.sin(rows / 9) * np.cos(columns / 14),
        rows / 171 * 255,
        ((rows // 16 + columns // 19) % 2) * 190 + 20,
    ]
    noise = np.random.default_rng(3).normal(0, 6, (171, 205, 3))
    return Picture(np.clip(np.stack(planes, axis=2) + noise, 0, 255).astype(np.uint8))


def peer_or_skip(name: str) -> Contestant:
    """A codec; jxl and mozjpeg come in packages that may be missing."""
    for peer, package in (("jxl", "pillow_jxl"), ("mozjpeg", "pyvips")):
        if name == peer:
            pytest.importorskip(package, reason=f"{peer} needs {package}")
    return PEERS[name]()


def squared_error(a: Picture, b: Picture) -> float:
    return float(np.mean((a.pixels.astype(float) - b.pixels.astype(float)) ** 2))


@pytest.mark.parametrize("name", PEERS)
def test_peers_write_real_files_and_get_better_with_size(name: str, picture: Picture) -> None:
    peer = peer_or_skip(name)
    assert peer.name == name
    small, large = (peer.encode(picture, peer.ladder[place]) for place in (2, -2))
    assert len(small) < len(large)
    errors = [squared_error(peer.decode(data), picture) for data in (small, large)]
    # Two decibels and more.
    assert errors[0] > 1.6 * errors[1]
    with Image.open(io.BytesIO(small)) as opened:
        assert opened.size == (205, 171)
        decoded = np.asarray(opened.convert("RGB"))
    assert np.array_equal(peer.decode(small).pixels, decoded)


@pytest.mark.parametrize(
    ("name", "module", "variable", "one_thread"),
    [
        ("avif", "PIL.AvifImagePlugin", "DEFAULT_MAX_THREADS", 1),
        ("avif-psnr", "PIL.AvifImagePlugin", "DEFAULT_MAX_THREADS", 1),
        ("jxl", "pillow_jxl.JpegXLImagePlugin", "DECODE_THREADS", 0),
    ],
)
def test_decoders_run_on_one_thread_and_leave_pillow_as_it_was(
    name: str, module: str, variable: str, one_thread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = peer_or_skip(name)
    plugin = sys.modules[module]
    monkeypatch.setattr(plugin, variable, 7)
    seen = []
    load = pillow_codec.load

    def watched(data: bytes) -> Picture:
        seen.append(getattr(plugin, variable))
        return load(data)

    monkeypatch.setattr(pillow_codec, "load", watched)
    data = peer.encode(Picture(np.full((16, 17, 3), 90, np.uint8)), peer.ladder[-1])
    assert np.abs(peer.decode(data).pixels.astype(int) - 90).max() <= 2
    with pytest.raises(OSError, match="cannot identify"):
        peer.decode(b"nothing")
    assert seen == [one_thread, one_thread]
    assert getattr(plugin, variable) == 7


@pytest.mark.parametrize(("name", "package"), [("jxl", "pillow_jxl"), ("mozjpeg", "pyvips")])
def test_a_peer_whose_package_is_missing_says_what_to_install(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match="pip install"):
        PEERS[name]()


def test_jpeg_is_the_strong_one(picture: Picture) -> None:
    plain = io.BytesIO()
    Image.fromarray(picture.pixels).save(plain, format="JPEG", quality=30)
    assert len(PEERS["jpeg"]().encode(picture, 30)) < len(plain.getvalue())


def test_ladders_rise() -> None:
    for name in ("jpeg", "webp", "avif", "avif-psnr"):
        ladder = PEERS[name]().ladder
        assert list(ladder) == sorted(set(ladder))
    ratios = PEERS["jp2"]().ladder
    assert list(ratios) == sorted(set(ratios), reverse=True)
