"""What is made of measurements: summaries, tables, plots, files that can be read again."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tones import LIKENESS, OPINION, RATE, SNR

from vqcodec.evaluation import (
    Measurement,
    Point,
    PublishedCurve,
    PublishedPoint,
    Results,
    as_csv,
    as_json,
    as_markdown,
    plot_curves,
    summarize,
)
from vqcodec.media.workshop import Contestant, Measure

KNOWN = [(0.1, 24.0, 8.0), (0.25, 27.0, 11.0), (0.5, 30.0, 14.0)]
BOTH = (SNR, LIKENESS)
ALL = (*BOTH, OPINION)


def line(codec: str, scale: float = 1.0, *, opinion: bool = False) -> list[Point]:
    """A made-up curve through known values; every signal takes longer than the one before."""
    points = []
    for number, (rate, snr, db) in enumerate(KNOWN):
        signals = [
            Measurement(
                signal=f"a,{signal}",
                size=100,
                rate=scale * rate,
                values={"snr": snr, "like-ness": float("nan")},
                encode_seconds=0.125 * 3**signal * (number + 1),
                decode_seconds=0.002 * 3**signal,
            )
            for signal in range(3)
        ]
        points.append(
            Point(
                codec=codec,
                setting=float(number),
                rate=scale * rate,
                values={"snr": snr, "like-ness": db}
                | ({"opinion": 5 * db - 60} if opinion else {}),
                encode_seconds=9.0,
                decode_seconds=9.0,
                signals=tuple(signals),
            )
        )
    return points


def contestant(name: str, runs_on: str = "1 thread") -> Contestant:
    def never(*_: object) -> bytes:
        raise AssertionError("reports run no codec")

    return Contestant(
        name=name,
        version="1",
        settings="raw",
        ladder=(),
        encode=never,
        decode=never,
        runs_on=runs_on,
    )


def published(name: str = "factorized", scale: float = 2.0) -> PublishedCurve:
    """The known curve at other rates, without the second measure at its first point."""
    points = [
        PublishedPoint(
            rate=scale * rate, values={"snr": snr} | ({"like-ness": db} if db > 8 else {})
        )
        for rate, snr, db in KNOWN
    ]
    return PublishedCurve(name=name, source="Somebody 2018.", points=tuple(points))


def results(
    curves: Mapping[str, Sequence[Point]],
    *,
    measures: Sequence[Measure] = BOTH,
    contestants: Sequence[Contestant] = (),
    others: Sequence[PublishedCurve] = (),
) -> Results:
    return Results(
        title="2 tones of anywhere",
        rate=RATE,
        measures=measures,
        contestants=contestants,
        curves=curves,
        published=others,
    )


def test_summary_reads_off_rates_and_compares_with_each_peer() -> None:
    summary = summarize(results({"vqcodec": line("vqcodec", 0.5), "jpeg": line("jpeg")}))
    at = {rate: i for i, rate in enumerate(summary.rates)}
    assert summary.at_rate["snr"]["jpeg"][at[0.25]] == pytest.approx(27)
    assert summary.at_rate["like-ness"]["jpeg"][at[0.5]] == pytest.approx(14)
    assert summary.at_rate["snr"]["vqcodec"][at[0.25]] == pytest.approx(30)
    assert summary.at_rate["snr"]["vqcodec"][at[0.5]] is None
    difference = summary.bd_rates["snr"]["vqcodec"]["jpeg"]
    assert difference is not None
    assert difference.percent == pytest.approx(-50)
    assert list(summary.at_rate) == ["snr", "like-ness"]


def test_every_model_of_ours_is_compared_with_every_peer_and_none_with_another() -> None:
    curves = {"vqcodec a": line("a", 0.5), "vqcodec b": line("b"), "jpeg": line("jpeg")}
    rates = summarize(results(curves)).bd_rates["snr"]
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
    summary = summarize(results({"vqcodec": line("vqcodec", 0.5), "jpeg": line("jpeg")}))
    # At half the rate the third setting is the one at 0.25, otherwise the second.
    assert (summary.seconds["vqcodec"].setting, summary.seconds["vqcodec"].rate) == (2.0, 0.25)
    assert (summary.seconds["jpeg"].setting, summary.seconds["jpeg"].rate) == (1.0, 0.25)
    assert summary.seconds["vqcodec"].encode == pytest.approx(0.125 * 3 * 3)
    assert summary.seconds["jpeg"].encode == pytest.approx(0.125 * 3 * 2)
    assert summary.seconds["jpeg"].decode == pytest.approx(0.006)


def test_published_curves_are_compared_like_measured_ones() -> None:
    summary = summarize(results({"vqcodec": line("vqcodec")}, others=[published()]))
    name = "factorized (published)"
    at = {rate: i for i, rate in enumerate(summary.rates)}
    assert summary.at_rate["snr"][name][at[0.5]] == pytest.approx(27)
    assert summary.at_rate["snr"][name][at[0.15]] is None
    difference = summary.bd_rates["snr"]["vqcodec"][name]
    assert difference is not None
    assert difference.percent == pytest.approx(-50)
    # Its lowest point lacks the second measure: the curve starts at the next one.
    other = summary.bd_rates["like-ness"]["vqcodec"][name]
    assert other is not None
    assert [other.low, other.high] == pytest.approx([11, 14])
    assert other.overlap == pytest.approx(0.5)
    assert list(summary.seconds) == ["vqcodec"]


def test_a_published_curve_is_never_taken_for_a_model_that_was_run() -> None:
    others = [published("vqcodec old", 2)]
    summary = summarize(results({"vqcodec a": line("a")}, others=others))
    assert list(summary.bd_rates["snr"]) == ["vqcodec a"]
    difference = summary.bd_rates["snr"]["vqcodec a"]["vqcodec old (published)"]
    assert difference is not None
    assert difference.percent == pytest.approx(-50)


def test_a_measure_that_some_codecs_lack_has_no_rows_for_them() -> None:
    curves = {"vqcodec": line("vqcodec", 0.5, opinion=True), "jpeg": line("jpeg")}
    shown = results(curves, measures=ALL, others=[published()])
    summary = summarize(shown)
    assert list(summary.at_rate["opinion"]) == ["vqcodec"]
    assert summary.bd_rates["opinion"] == {"vqcodec": {}}
    text = as_markdown(shown)
    assert re.search(r"\| jpeg \| -50\.0 % \([^|]*\) \| -50\.0 % \([^|]*\) \| - \|", text)


def test_json_holds_everything_and_is_json() -> None:
    curves = {"vqcodec": line("vqcodec"), "jpeg": line("jpeg")}
    shown = results(curves, contestants=[contestant("vqcodec", "2 threads")], others=[published()])
    text = as_json(shown, circumstances={"commit": "abc"})
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert content["signals"] == "2 tones of anywhere"
    assert content["rate"] == {"unit": "bps", "title": "bits per sample, whole file"}
    assert content["measures"] == {"snr": "SNR dB", "like-ness": "Likeness dB"}
    assert content["commit"] == "abc"
    assert content["codecs"] == [
        {
            "name": "vqcodec",
            "version": "1",
            "settings": "raw",
            "counted": "whole file",
            "runs_on": "2 threads",
        }
    ]
    assert [(p["codec"], p["rate"]) for p in content["points"]] == [
        (name, rate) for name in ("vqcodec", "jpeg") for rate in (0.1, 0.25, 0.5)
    ]
    assert content["points"][0]["values"] == {"snr": 24.0, "like-ness": 8.0}
    assert content["points"][0]["signals"][0]["values"] == {"snr": 24.0, "like-ness": None}
    assert content["summary"]["bd_rates"]["snr"]["vqcodec"]["jpeg"]["percent"] == pytest.approx(0)
    assert content["published"][0]["source"] == "Somebody 2018."
    assert [point["rate"] for point in content["published"][0]["points"]] == [0.2, 0.5, 1.0]


def test_csv_has_a_row_for_every_signal_and_setting_and_a_column_for_every_measure() -> None:
    text = as_csv(results({"jpeg": line("jpeg")}, measures=ALL))
    assert text.splitlines()[0] == (
        "codec,setting,signal,size,bps,snr,like-ness,opinion,encode_seconds,decode_seconds"
    )
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["codec"], row["setting"], row["signal"]) for row in rows] == [
        ("jpeg", str(float(number)), f"a,{signal}") for number in range(3) for signal in range(3)
    ]
    assert [float(row["snr"]) for row in rows[::3]] == [24, 27, 30]
    assert [float(row["bps"]) for row in rows[::3]] == [0.1, 0.25, 0.5]
    assert {row["opinion"] for row in rows} == {""}


def test_tables_say_dash_outside_the_measured_range() -> None:
    curves = {"vqcodec": line("vqcodec", 0.5, opinion=True), "jpeg": line("jpeg")}
    text = as_markdown(results(curves, measures=ALL))
    assert "| SNR dB at bps | 0.1 | 0.15 | 0.25 | 0.5 | 0.75 |" in text
    assert "| jpeg | 24.00 |" in text
    assert "| 30.00 | - | - |" in text
    assert "| OPINION at bps | 0.1 | 0.15 | 0.25 | 0.5 | 0.75 |\n| --- |" in text
    assert "| 10.0 | - | - |" in text


def test_tables_state_the_overlap_the_seconds_and_the_sources() -> None:
    curves = {"vqcodec": line("vqcodec", 0.5), "jpeg": line("jpeg")}
    runs = [contestant("vqcodec", "2 threads"), contestant("jpeg")]
    others = [published(), published("hyperprior", 3)]
    text = as_markdown(results(curves, contestants=runs, others=others))
    assert "| BD-rate of vqcodec against | SNR | Likeness |" in text
    whole = "-50.0 % (24.00 to 30.00; 100 %) | -50.0 % (8.00 to 14.00; 100 %)"
    assert f"| jpeg | {whole} |" in text
    half = r"-75\.0 % \(24.00 to 30.00; 100 %\) \| -7\d\.\d % \(11.00 to 14.00; 50 %\)"
    assert re.search(rf"\| factorized \(published\) \| {half} \|", text)
    assert "| seconds a file near 0.25 bps | bps | encode | decode | on |" in text
    assert "| vqcodec | 0.250 | 1.125 | 0.0060 | 2 threads |" in text
    assert "| jpeg | 0.250 | 0.750 | 0.0060 | 1 thread |" in text
    assert text.count("not run here") == text.count("Somebody 2018.") == 1
    assert "published" not in as_markdown(results(curves, contestants=runs))


def test_tables_of_peers_alone_have_no_differences() -> None:
    text = as_markdown(results({"jpeg": line("jpeg")}, contestants=[contestant("jpeg")]))
    assert "BD-rate" not in text
    assert "equal quality" not in text
    assert "| jpeg | 24.00 |" in text


def plotted(shown: Results) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(plot_curves(shown))) as plot:
        assert plot.format == "PNG"
        return np.asarray(plot.convert("RGB"))


def test_plot_has_a_panel_for_each_measure() -> None:
    two = plotted(results({"vqcodec": line("vqcodec"), "jpeg": line("jpeg")}))
    curves = {"vqcodec": line("vqcodec", opinion=True), "jpeg": line("jpeg")}
    three = plotted(results(curves, measures=ALL))
    assert three.shape[0] == two.shape[0]
    assert three.shape[1] == pytest.approx(1.5 * two.shape[1], rel=0.01)
    # Every panel holds our line, which is black and thick.
    for panel in np.array_split(three[: three.shape[0] * 3 // 4], 3, axis=1):
        assert (panel.max(axis=2) < 40).mean() > 0.004


def test_published_curves_are_drawn_in_dashes() -> None:
    dim = np.array([105, 105, 105])
    curves = {"vqcodec": line("vqcodec"), "jpeg": line("jpeg")}
    without = (plotted(results(curves)) == dim).all(axis=2)
    drawn = (plotted(results(curves, others=[published(scale=0.6)])) == dim).all(axis=2)
    assert drawn.sum() > without.sum() + 300
    # Across the first panel the dashes leave columns free between them.
    panel = drawn[:, : drawn.shape[1] // 2].any(axis=0)
    inside = panel[np.flatnonzero(panel)[0] : np.flatnonzero(panel)[-1]]
    gaps = np.flatnonzero(np.diff(inside.astype(int)) == -1)
    assert len(gaps) >= 5


FAR = Measure(
    name="far", of=lambda a, b: 0.0, title="Distance", unit="dB", low=0, lower_is_better=True
)


def farther(codec: str, scale: float = 1.0) -> list[Point]:
    """The known curve by a measure that falls: how many decibels are left to 40."""
    return [
        replace(point, values={"far": 40 - point.values["snr"]}) for point in line(codec, scale)
    ]


def test_a_measure_that_falls_is_compared_as_one_that_rises() -> None:
    curves = {"vqcodec": farther("vqcodec", 0.5), "jpeg": farther("jpeg")}
    rising = summarize(results({"vqcodec": line("vqcodec", 0.5), "jpeg": line("jpeg")}))
    falling = summarize(results(curves, measures=[FAR]))
    for codec, values in falling.at_rate["far"].items():
        expected = [None if v is None else 40 - v for v in rising.at_rate["snr"][codec]]
        assert values == pytest.approx(expected)
    found, known = falling.bd_rates["far"]["vqcodec"]["jpeg"], rising.bd_rates["snr"]["vqcodec"]
    assert found is not None
    assert known["jpeg"] is not None
    assert found.percent == pytest.approx(known["jpeg"].percent)
    assert (found.low, found.high) == pytest.approx((10, 16))
    assert "| Distance dB (lower is better) at bps |" in as_markdown(
        results(curves, measures=[FAR])
    )
    assert plot_curves(results(curves, measures=[FAR])).startswith(b"\x89PNG")


def test_tables_say_what_is_counted_where_it_is_not_the_same_for_all() -> None:
    whole, packets = contestant("vqcodec"), replace(contestant("peer"), counted="packets")
    curves = {"vqcodec": line("vqcodec"), "peer": line("peer")}
    assert "Rates count" not in as_markdown(results(curves, contestants=[whole]))
    told = as_markdown(results(curves, contestants=[whole, packets]))
    assert "\nRates count the whole file of vqcodec; packets of peer.\n" in told
