"""Measuring codecs: real bytes, honest averages."""

import io
import math
import sys
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.evaluation import (
    PEERS,
    Contestant,
    evaluate,
    find_measures,
    find_peer,
    measure,
    pillow_codec,
)
from vqcodec.evaluation.match import match_size
from vqcodec.evaluation.strip import draw_strip, rgb_pixels
from vqcodec.media.picture.image import Picture
from vqcodec.media.picture.metrics import ms_ssim, ms_ssim_db, psnr

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def pictures() -> list[tuple[str, Pixels]]:
    rows, columns = np.mgrid[0:171, 0:205]
    random = np.random.default_rng(3)
    result = []
    for number in (1, 2):
        planes = [
            128 + 80 * np.sin(rows / (9 * number)) * np.cos(columns / (13 + number)),
            rows / 171 * 255,
            ((rows // 16 + columns // 19) % 2) * 190 + 20,
        ]
        noisy = np.stack(planes, axis=2) + random.normal(0, 6 * number, (171, 205, 3))
        result.append((f"p{number}.png", np.clip(noisy, 0, 255).astype(np.uint8)))
    return result


def coarse(name: str = "vqcodec") -> Contestant:
    """A codec whose errors are known: it keeps the high bits of every value."""

    def encode(pixels: Pixels, keep: float) -> bytes:
        step = 2 ** (8 - int(keep))
        height, width = pixels.shape[:2]
        kept = (pixels // step * step + step // 2).astype(np.uint8)
        return bytes([height, width]) + zlib.compress(kept.tobytes())

    def decode(data: bytes) -> Pixels:
        return np.frombuffer(zlib.decompress(data[2:]), np.uint8).reshape(data[0], data[1], 3)

    return Contestant(
        name=name, version="1", settings="raw", ladder=(1, 3, 5), encode=encode, decode=decode
    )


def peer_or_skip(name: str) -> Contestant:
    """A codec; jxl and mozjpeg come in packages that may be missing."""
    for peer, package in (("jxl", "pillow_jxl"), ("mozjpeg", "pyvips")):
        if name == peer:
            pytest.importorskip(package, reason=f"{peer} needs {package}")
    return find_peer(name)


@pytest.mark.parametrize("name", PEERS)
def test_peers_use_real_files_and_get_better_with_size(
    name: str, pictures: list[tuple[str, Pixels]]
) -> None:
    peer = peer_or_skip(name)
    pixels = pictures[0][1]
    ladder = (peer.ladder[2], peer.ladder[-2])
    low, high = (measure(peer, quality, name="p", pixels=pixels) for quality in ladder)
    assert low.size < high.size
    assert low.psnr is not None
    assert high.psnr is not None
    assert low.psnr + 2 < high.psnr
    data = peer.encode(pixels, ladder[0])
    assert len(data) == low.size
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.size == (205, 171)
        decoded = np.asarray(opened.convert("RGB"))
    assert low.psnr == psnr(decoded, pixels)
    assert low.ms_ssim == ms_ssim(decoded, pixels)
    assert low.bpp == 8 * len(data) / (171 * 205)


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

    def watched(data: bytes) -> Pixels:
        seen.append(getattr(plugin, variable))
        return load(data)

    monkeypatch.setattr(pillow_codec, "load", watched)
    data = peer.encode(np.full((16, 17, 3), 90, np.uint8), peer.ladder[-1])
    assert np.abs(peer.decode(data).astype(int) - 90).max() <= 2
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
        find_peer(name)


def test_jpeg_is_the_strong_one(pictures: list[tuple[str, Pixels]]) -> None:
    plain = io.BytesIO()
    Image.fromarray(pictures[0][1]).save(plain, format="JPEG", quality=30)
    assert len(find_peer("jpeg").encode(pictures[0][1], 30)) < len(plain.getvalue())


def test_ladders_rise() -> None:
    for name in ("jpeg", "webp", "avif", "avif-psnr"):
        ladder = find_peer(name).ladder
        assert list(ladder) == sorted(set(ladder))
    ratios = find_peer("jp2").ladder
    assert list(ratios) == sorted(set(ratios), reverse=True)


def test_unknown_peer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'bpg'.*" + ", ".join(PEERS)):
        find_peer("bpg")


def test_means_are_of_per_picture_values(pictures: list[tuple[str, Pixels]]) -> None:
    points = evaluate(coarse(), pictures)
    assert [point.setting for point in points] == [1, 3, 5]
    for point in points:
        rows = point.images
        assert [row.image for row in rows] == ["p1.png", "p2.png"]
        assert point.psnr == pytest.approx(np.mean([row.psnr for row in rows]))
        assert point.bpp == pytest.approx(np.mean([row.bpp for row in rows]))
        similarities = [row.ms_ssim for row in rows if row.ms_ssim is not None]
        assert point.ms_ssim == pytest.approx(np.mean(similarities))
        assert point.ms_ssim_db == pytest.approx(ms_ssim_db(float(np.mean(similarities))))
        assert point.ms_ssim_db is not None
        assert point.ms_ssim_db < np.mean([ms_ssim_db(value) for value in similarities])
        assert point.ssimulacra2 is None


def test_only_what_was_asked_for_is_measured(pictures: list[tuple[str, Pixels]]) -> None:
    for point in evaluate(coarse(), pictures, measures=["psnr"]):
        assert point.psnr is not None
        assert (point.ms_ssim, point.ms_ssim_db, point.ssimulacra2) == (None, None, None)
        assert all(row.ms_ssim is None for row in point.images)


def test_ssimulacra2_is_the_measure_of_the_decoded_picture(
    pictures: list[tuple[str, Pixels]],
) -> None:
    pytest.importorskip("ssimulacra2", reason="the measure needs ssimulacra2")
    from vqcodec.media.picture.metrics import ssimulacra2

    codec = coarse()
    name, pixels = pictures[0]
    row = measure(codec, 3, name=name, pixels=pixels, measures=["ssimulacra2"])
    assert row.ssimulacra2 == ssimulacra2(codec.decode(codec.encode(pixels, 3)), pixels)
    assert row.psnr is None


def test_measures_are_found_by_name_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = find_measures(["ms-ssim", "psnr", "psnr"])
    assert [measure.label for measure in chosen] == ["PSNR dB", "MS-SSIM dB"]
    with pytest.raises(InputError, match="no such measure: lpips; there are psnr, ms-ssim, ssim"):
        find_measures(["psnr", "lpips"])
    with pytest.raises(InputError, match="none"):
        find_measures([])
    monkeypatch.setattr("vqcodec.evaluation.measures.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="needs ssimulacra2: pip install"):
        find_measures(["ssimulacra2"])


def test_every_measurement_is_reported(pictures: list[tuple[str, Pixels]]) -> None:
    calls: list[int] = []
    evaluate(coarse(), pictures, report=lambda: calls.append(1))
    assert len(calls) == 3 * 2


def test_no_pictures_is_an_error() -> None:
    with pytest.raises(InputError, match="no pictures"):
        evaluate(coarse(), [])


def test_tiny_picture_has_no_structure_but_counts() -> None:
    everything = ("psnr", "ms-ssim", "ssimulacra2")
    pixels = np.full((4, 5, 3), 15, np.uint8)
    row = measure(coarse(), 3, name="tiny", pixels=pixels, measures=everything)
    assert row.ms_ssim is not None
    assert row.ssimulacra2 is not None
    assert math.isnan(row.ms_ssim)
    assert math.isnan(row.ssimulacra2)
    assert row.psnr == pytest.approx(20 * math.log10(255))


@pytest.mark.parametrize("limit", [0, 1500, 1501, 4321, 10**9])
def test_match_size_is_the_largest_that_fits(limit: int) -> None:
    def encode(_: Pixels, quality: float) -> bytes:
        return bytes(int(1000 + 5 * quality**2))

    peer = Contestant(
        name="x",
        version="",
        settings="",
        ladder=(),
        encode=encode,
        decode=lambda _: np.zeros(0, np.uint8),
    )
    quality, data = match_size(peer, np.zeros((1, 1, 3), np.uint8), limit)
    fitting = [q for q in range(101) if 1000 + 5 * q**2 <= limit]
    assert quality == max(fitting, default=0)
    assert len(data) == 1000 + 5 * quality**2


def test_colours_of_every_kind_of_picture() -> None:
    random = np.random.default_rng(0)
    four = random.integers(0, 256, (3, 5, 4), dtype=np.uint8)
    for channels in (1, 2):
        colours = rgb_pixels(Picture(four[..., :channels]))
        assert np.array_equal(colours, np.repeat(four[..., :1], 3, axis=2))
    for channels in (3, 4):
        assert np.array_equal(rgb_pixels(Picture(four[..., :channels])), four[..., :3])


def test_strip_shows_the_pixels_unscaled() -> None:
    random = np.random.default_rng(0)
    panels = [
        (f"panel {i}", random.integers(0, 256, (50, 90, 3), dtype=np.uint8)) for i in range(3)
    ]
    with Image.open(io.BytesIO(draw_strip(panels, width=40))) as strip:
        shown = np.asarray(strip)
    assert shown.shape == (40 + 26, 3 * 40 + 2 * 6, 3)
    for number, (_, pixels) in enumerate(panels):
        left = number * 46
        assert np.array_equal(shown[26:, left : left + 40], pixels[5:45, 25:65])
    assert (shown[:26] < 128).any()
    with pytest.raises(InputError, match="one size"):
        draw_strip([panels[0], ("other", panels[0][1][:9])])
