"""What is made of measurements: summaries, tables, pictures, files that can be read again."""

import csv
import io
import json
import re
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.evaluation import (
    Contestant,
    Measurement,
    Point,
    PublishedCurve,
    PublishedPoint,
    as_csv,
    as_json,
    as_markdown,
    plot_curves,
    summarize,
)

KNOWN = [(0.1, 24.0, 8.0), (0.25, 27.0, 11.0), (0.5, 30.0, 14.0)]


def line(codec: str, scale: float = 1.0, *, ssimulacra2: bool = False) -> list[Point]:
    """A made-up curve through known values; every picture takes longer than the one before."""
    points = []
    for number, (bpp, psnr, db) in enumerate(KNOWN):
        images = [
            Measurement(
                image=f"a,{picture}",
                size=100,
                bpp=scale * bpp,
                psnr=psnr,
                ms_ssim=float("nan"),
                ssimulacra2=None,
                encode_seconds=0.125 * 3**picture * (number + 1),
                decode_seconds=0.002 * 3**picture,
            )
            for picture in range(3)
        ]
        points.append(
            Point(
                codec=codec,
                setting=float(number),
                bpp=scale * bpp,
                psnr=psnr,
                ms_ssim=1 - 10 ** (-db / 10),
                ms_ssim_db=db,
                ssimulacra2=5 * db - 60 if ssimulacra2 else None,
                encode_seconds=9.0,
                decode_seconds=9.0,
                images=tuple(images),
            )
        )
    return points


def contestant(name: str, runs_on: str = "1 thread") -> Contestant:
    def never(*_: object) -> NDArray[np.uint8]:
        raise AssertionError("reports run no codec")

    return Contestant(
        name=name,
        version="1",
        settings="raw",
        ladder=(),
        encode=lambda pixels, setting: b"",
        decode=never,
        runs_on=runs_on,
    )


def published(name: str = "factorized", scale: float = 2.0) -> PublishedCurve:
    """The known curve at other rates, without the second measure at its first point."""
    points = [
        PublishedPoint(bpp=scale * bpp, psnr=psnr, ms_ssim=1 - 10 ** (-db / 10) if db > 8 else None)
        for bpp, psnr, db in KNOWN
    ]
    return PublishedCurve(name=name, source="Somebody 2018.", points=tuple(points))


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


def test_seconds_are_medians_at_the_nearest_rate() -> None:
    summary = summarize({"vqcodec": line("vqcodec", 0.5), "jpeg": line("jpeg")})
    # At half the rate the third setting is the one at 0.25 bpp, otherwise the second.
    assert (summary.seconds["vqcodec"].setting, summary.seconds["vqcodec"].bpp) == (2.0, 0.25)
    assert (summary.seconds["jpeg"].setting, summary.seconds["jpeg"].bpp) == (1.0, 0.25)
    assert summary.seconds["vqcodec"].encode == pytest.approx(0.125 * 3 * 3)
    assert summary.seconds["jpeg"].encode == pytest.approx(0.125 * 3 * 2)
    assert summary.seconds["jpeg"].decode == pytest.approx(0.006)


def test_published_curves_are_compared_like_measured_ones() -> None:
    summary = summarize({"vqcodec": line("vqcodec")}, published=[published()])
    name = "factorized (published)"
    at = {rate: i for i, rate in enumerate(summary.rates)}
    assert summary.at_rate["psnr"][name][at[0.5]] == pytest.approx(27)
    assert summary.at_rate["psnr"][name][at[0.15]] is None
    difference = summary.bd_rates["psnr"]["vqcodec"][name]
    assert difference is not None
    assert difference.percent == pytest.approx(-50)
    # Its lowest point has no MS-SSIM: the curve starts at the second.
    other = summary.bd_rates["ms_ssim_db"]["vqcodec"][name]
    assert other is not None
    assert [other.low, other.high] == pytest.approx([11, 14])
    assert other.overlap == pytest.approx(0.5)
    assert list(summary.seconds) == ["vqcodec"]


def test_a_published_curve_is_never_taken_for_a_model_that_was_run() -> None:
    summary = summarize({"vqcodec a": line("a")}, published=[published("vqcodec old", 2)])
    assert list(summary.bd_rates["psnr"]) == ["vqcodec a"]
    difference = summary.bd_rates["psnr"]["vqcodec a"]["vqcodec old (published)"]
    assert difference is not None
    assert difference.percent == pytest.approx(-50)


def test_a_measure_that_some_codecs_lack_has_no_rows_for_them() -> None:
    curves = {"vqcodec": line("vqcodec", 0.5, ssimulacra2=True), "jpeg": line("jpeg")}
    summary = summarize(curves, published=[published()])
    assert list(summary.at_rate["ssimulacra2"]) == ["vqcodec"]
    assert summary.bd_rates["ssimulacra2"] == {"vqcodec": {}}
    text = as_markdown(curves, [], published=[published()])
    assert "| vqcodec | -2.3 | -" not in text
    assert re.search(r"\| jpeg \| -50\.0 % \([^|]*\) \| -50\.0 % \([^|]*\) \| - \|", text)


def test_json_holds_everything_and_is_json() -> None:
    curves = {"vqcodec": line("vqcodec"), "jpeg": line("jpeg")}
    text = as_json(
        curves,
        [contestant("vqcodec", "2 threads")],
        circumstances={"commit": "abc"},
        pictures="2 pictures",
        published=[published()],
    )
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert content["commit"] == "abc"
    assert content["codecs"] == [
        {"name": "vqcodec", "version": "1", "settings": "raw", "runs_on": "2 threads"}
    ]
    assert [(p["codec"], p["bpp"]) for p in content["points"]] == [
        (name, bpp) for name in ("vqcodec", "jpeg") for bpp in (0.1, 0.25, 0.5)
    ]
    assert content["points"][0]["images"][0]["ms_ssim"] is None
    assert content["summary"]["bd_rates"]["psnr"]["vqcodec"]["jpeg"]["percent"] == pytest.approx(0)
    assert content["published"][0]["source"] == "Somebody 2018."
    assert [point["bpp"] for point in content["published"][0]["points"]] == [0.2, 0.5, 1.0]


def test_csv_has_a_row_for_every_picture_and_setting() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv({"jpeg": line("jpeg")}))))
    assert [(row["codec"], row["setting"], row["image"]) for row in rows] == [
        ("jpeg", str(float(number)), f"a,{picture}") for number in range(3) for picture in range(3)
    ]
    assert [float(row["psnr"]) for row in rows[::3]] == [24, 27, 30]
    assert {row["ssimulacra2"] for row in rows} == {""}


def test_tables_say_dash_outside_the_measured_range() -> None:
    curves = {"vqcodec": line("vqcodec", 0.5, ssimulacra2=True), "jpeg": line("jpeg")}
    text = as_markdown(curves, [contestant("vqcodec", "2 threads"), contestant("jpeg")])
    assert "| PSNR dB at bpp | 0.1 | 0.15 | 0.25 | 0.5 | 0.75 |" in text
    assert "| jpeg | 24.00 |" in text
    assert "| 30.00 | - | - |" in text
    assert "| SSIMULACRA2 at bpp | 0.1 | 0.15 | 0.25 | 0.5 | 0.75 |\n| --- |" in text
    assert "| 10.0 | - | - |" in text


def test_tables_state_the_overlap_the_seconds_and_the_sources() -> None:
    curves = {"vqcodec": line("vqcodec", 0.5), "jpeg": line("jpeg")}
    runs = [contestant("vqcodec", "2 threads"), contestant("jpeg")]
    text = as_markdown(curves, runs, published=[published(), published("hyperprior", 3)])
    assert "| BD-rate of vqcodec against | PSNR | MS-SSIM |" in text
    whole = "-50.0 % (24.00 to 30.00; 100 %) | -50.0 % (8.00 to 14.00; 100 %)"
    assert f"| jpeg | {whole} |" in text
    half = r"-75\.0 % \(24.00 to 30.00; 100 %\) \| -7\d\.\d % \(11.00 to 14.00; 50 %\)"
    assert re.search(rf"\| factorized \(published\) \| {half} \|", text)
    assert "| vqcodec | 0.250 | 1.125 | 0.0060 | 2 threads |" in text
    assert "| jpeg | 0.250 | 0.750 | 0.0060 | 1 thread |" in text
    assert text.count("not run here") == text.count("Somebody 2018.") == 1
    assert "published" not in as_markdown(curves, runs)


def test_tables_of_peers_alone_have_no_differences() -> None:
    text = as_markdown({"jpeg": line("jpeg")}, [contestant("jpeg")])
    assert "BD-rate" not in text
    assert "equal quality" not in text
    assert "| jpeg | 24.00 |" in text


def picture_of(
    curves: dict[str, list[Point]], others: Sequence[PublishedCurve] = ()
) -> NDArray[np.uint8]:
    data = plot_curves(curves, title="made up", published=others)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def test_plot_has_a_panel_for_each_measure() -> None:
    two = picture_of({"vqcodec": line("vqcodec"), "jpeg": line("jpeg")})
    curves = {"vqcodec": line("vqcodec", ssimulacra2=True), "jpeg": line("jpeg")}
    three = picture_of(curves)
    assert three.shape[0] == two.shape[0]
    assert three.shape[1] == pytest.approx(1.5 * two.shape[1], rel=0.01)
    # Every panel holds our line, which is black and thick.
    for panel in np.array_split(three[: three.shape[0] * 3 // 4], 3, axis=1):
        assert (panel.max(axis=2) < 40).mean() > 0.004


def test_published_curves_are_drawn_in_dashes() -> None:
    dim = np.array([105, 105, 105])
    curves = {"vqcodec": line("vqcodec"), "jpeg": line("jpeg")}
    without = (picture_of(curves) == dim).all(axis=2)
    drawn = (picture_of(curves, [published(scale=0.6)]) == dim).all(axis=2)
    assert drawn.sum() > without.sum() + 300
    # Across the first panel the dashes leave columns free between them.
    panel = drawn[:, : drawn.shape[1] // 2].any(axis=0)
    inside = panel[np.flatnonzero(panel)[0] : np.flatnonzero(panel)[-1]]
    gaps = np.flatnonzero(np.diff(inside.astype(int)) == -1)
    assert len(gaps) >= 5
