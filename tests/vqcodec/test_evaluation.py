"""Measuring codecs: real bytes, honest averages, reports that can be read again."""

import csv
import io
import json
import math
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.errors import InputError
from vqcodec.evaluation import (
    PEERS,
    Contestant,
    Point,
    as_csv,
    as_json,
    as_markdown,
    evaluate,
    find_peer,
    plot_curves,
    summarize,
)
from vqcodec.evaluation.matching import match_size
from vqcodec.evaluation.measure import measure
from vqcodec.evaluation.pictures import draw_strip, rgb_pixels
from vqcodec.media.image import Picture
from vqcodec.metrics import ms_ssim, ms_ssim_db, psnr

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


def test_peers_use_real_files_and_get_better_with_size(
    pictures: list[tuple[str, Pixels]],
) -> None:
    for name in ("jpeg", "webp", "avif", "jp2"):
        peer = find_peer(name)
        ladder = (peer.ladder[2], peer.ladder[-2])
        low, high = (measure(peer, q, name="p", pixels=pictures[0][1]) for q in ladder)
        assert low.size < high.size, name
        assert low.psnr + 2 < high.psnr, name
        data = peer.encode(pictures[0][1], ladder[0])
        assert len(data) == low.size
        with Image.open(io.BytesIO(data)) as opened:
            assert opened.size == (205, 171)
            decoded = np.asarray(opened.convert("RGB"))
        assert low.psnr == psnr(decoded, pictures[0][1])
        assert low.ms_ssim == ms_ssim(decoded, pictures[0][1])
        assert low.bpp == 8 * len(data) / (171 * 205)


def test_jpeg_is_the_strong_one(pictures: list[tuple[str, Pixels]]) -> None:
    plain = io.BytesIO()
    Image.fromarray(pictures[0][1]).save(plain, format="JPEG", quality=30)
    assert len(find_peer("jpeg").encode(pictures[0][1], 30)) < len(plain.getvalue())


def test_ladders_rise() -> None:
    for name in ("jpeg", "webp", "avif", "avif-psnr"):
        ladder = find_peer(name).ladder
        assert list(ladder) == sorted(set(ladder))


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
        similarity = np.mean([row.ms_ssim for row in rows])
        assert point.ms_ssim == pytest.approx(similarity)
        assert point.ms_ssim_db == pytest.approx(ms_ssim_db(float(similarity)))
        assert point.ms_ssim_db < np.mean([ms_ssim_db(row.ms_ssim) for row in rows])


def test_every_measurement_is_reported(pictures: list[tuple[str, Pixels]]) -> None:
    calls: list[int] = []
    evaluate(coarse(), pictures, report=lambda: calls.append(1))
    assert len(calls) == 3 * 2


def test_no_pictures_is_an_error() -> None:
    with pytest.raises(InputError, match="no pictures"):
        evaluate(coarse(), [])


def test_tiny_picture_has_no_ms_ssim_but_counts() -> None:
    row = measure(coarse(), 3, name="tiny", pixels=np.full((4, 5, 3), 15, np.uint8))
    assert math.isnan(row.ms_ssim)
    assert row.psnr == pytest.approx(20 * math.log10(255))


def line(codec: str, scale: float = 1.0) -> list[Point]:
    """A made-up curve through known values."""
    return [
        Point(
            codec=codec,
            setting=float(number),
            bpp=scale * bpp,
            psnr=psnr_,
            ms_ssim=1 - 10 ** (-db / 10),
            ms_ssim_db=db,
            ssimulacra2=None,
            encode_seconds=0.1,
            decode_seconds=0.2,
            images=(measure(coarse(), 1, name="a,b", pixels=np.zeros((2, 2, 3), np.uint8)),),
        )
        for number, (bpp, psnr_, db) in enumerate([(0.1, 24, 8), (0.25, 27, 11), (0.5, 30, 14)])
    ]


def test_summary_reads_off_rates_and_compares_with_each_peer() -> None:
    summary = summarize({"vqcodec": line("vqcodec", 0.5), "jpeg": line("jpeg")})
    at = {rate: i for i, rate in enumerate(summary.rates)}
    assert summary.at_rate["psnr"]["jpeg"][at[0.25]] == pytest.approx(27)
    assert summary.at_rate["ms_ssim_db"]["jpeg"][at[0.5]] == pytest.approx(14)
    assert summary.at_rate["psnr"]["vqcodec"][at[0.25]] == pytest.approx(30)
    assert summary.at_rate["psnr"]["vqcodec"][at[0.5]] is None
    difference = summary.bd_rates["psnr"]["vqcodec"]["jpeg"]
    assert difference is not None
    assert difference.percent == pytest.approx(-50)
    assert "ssimulacra2" not in summary.at_rate


def test_every_model_of_ours_is_compared_with_every_peer_and_none_with_another() -> None:
    curves = {"vqcodec a": line("a", 0.5), "vqcodec b": line("b"), "jpeg": line("jpeg")}
    rates = summarize(curves).bd_rates["psnr"]
    percents = {
        (own, codec): difference.percent
        for own, row in rates.items()
        for codec, difference in row.items()
        if difference is not None
    }
    assert percents == {
        ("vqcodec a", "jpeg"): pytest.approx(-50),
        ("vqcodec b", "jpeg"): pytest.approx(0),
    }


def test_json_holds_everything_and_is_json() -> None:
    curves = {"vqcodec": line("vqcodec"), "jpeg": line("jpeg")}
    text = as_json(curves, [coarse()], circumstances={"commit": "abc"}, pictures="2 pictures")
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert content["commit"] == "abc"
    assert content["codecs"] == [{"name": "vqcodec", "version": "1", "settings": "raw"}]
    assert [(p["codec"], p["bpp"]) for p in content["points"]] == [
        (name, bpp) for name in ("vqcodec", "jpeg") for bpp in (0.1, 0.25, 0.5)
    ]
    # The MS-SSIM of a picture of 2 x 2 is not a number.
    assert content["points"][0]["images"][0]["ms_ssim"] is None
    assert content["summary"]["bd_rates"]["psnr"]["vqcodec"]["jpeg"]["percent"] == pytest.approx(0)


def test_csv_has_a_row_for_every_picture_and_setting() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv({"jpeg": line("jpeg")}))))
    assert [(row["codec"], row["setting"], row["image"]) for row in rows] == [
        ("jpeg", str(float(number)), "a,b") for number in range(3)
    ]
    assert all(float(row["psnr"]) == line("jpeg")[0].images[0].psnr for row in rows)


def test_tables_say_dash_outside_the_measured_range() -> None:
    text = as_markdown({"vqcodec": line("vqcodec", 0.5), "jpeg": line("jpeg")})
    assert "| PSNR dB at bpp | 0.1 | 0.15 | 0.25 | 0.5 | 0.75 |" in text
    assert "| jpeg | 24.00 |" in text
    assert "| 30.00 | - | - |" in text
    assert "| PSNR | vqcodec | jpeg | -50.0 % | 24.00 to 30.00 (100%) |" in text


def test_plot_is_a_picture_with_a_panel_for_each_measure() -> None:
    data = plot_curves({"vqcodec": line("vqcodec"), "jpeg": line("jpeg")}, title="made up")
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1.8 * picture.height
        shades = np.asarray(picture.convert("L"))
    # Both panels hold something darker than paper.
    for half in np.array_split(shades, 2, axis=1):
        assert (half < 100).mean() > 0.002


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
