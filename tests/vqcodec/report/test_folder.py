"""The page of results: everything in one file, each codec at like rates."""

import dataclasses
import re
from pathlib import Path

import pytest
from chromium import CHROMIUM, open_browser
from tones import LIKENESS, RATE, SNR, Tone, coarse, tones

from vqcodec.evaluation import Results, as_markdown, evaluate
from vqcodec.media.workshop import Workshop
from vqcodec.report import folder_page, worst_first


class Shop:
    """Tones that are shown as their numbers."""

    @staticmethod
    def comparable(signal: Tone) -> Tone:
        return signal

    @staticmethod
    def exhibit(signal: Tone) -> str:
        return f"<samp>{signal.samples.tolist()}</samp>"


@pytest.fixture
def results() -> Results:
    contestants = [coarse("a<b"), coarse("other")]
    measures = [SNR, LIKENESS]
    curves = {c.name: evaluate(c, tones(), rate=RATE, measures=measures) for c in contestants}
    # Tables at the rates of one signal through one setting, and far from all of them.
    at = curves["other"][1].signals[0].rate
    rate = dataclasses.replace(RATE, table=(at * 1.2, at * 1000))
    return Results(
        title="2 tones & more", rate=rate, measures=measures, contestants=contestants, curves=curves
    )


def page(results: Results, count: int = 2) -> str:
    shop: Workshop = Shop()  # type: ignore[assignment]
    shown = worst_first(results, tones(), count)
    return folder_page(results, shop, shown, tables=as_markdown(results))


def test_every_codec_is_shown_at_the_setting_nearest_to_a_rate(results: Results) -> None:
    text = page(results, 1)
    name, tone = tones()[0]
    assert f"<h2>{name}</h2>" in text
    assert f"<h2>{tones()[1][0]}<" not in text
    assert f"<figure><samp>{tone.samples.tolist()}</samp><figcaption>original<" in text
    codec = coarse()
    decoded = codec.decode(codec.encode(tone, 3)).samples.tolist()
    row = results.curves["other"][1].signals[0]
    for codec_name in ("a&lt;b", "other"):
        said = f"{codec_name} 3: {row.rate:.2f} bps; SNR {row.values['snr']:.2f} dB, Likeness"
        assert re.search(f"<samp>{re.escape(str(decoded))}</samp><figcaption>{said}", text)
    assert text.count("<h3>") == 1
    assert text.count("<figure>") == 3


def test_names_are_text_and_nothing_is_loaded_from_elsewhere(results: Results) -> None:
    text = page(results)
    assert "<title>2 tones &amp; more</title>" in text
    assert "a<b" not in text
    assert re.findall(r'(?:src|href)="([^"]*)"', text) == []
    assert re.findall(r"https?:", text) == []


def test_tables_are_tables(results: Results) -> None:
    text = page(results)
    markdown = as_markdown(results)
    assert text.count("<table>") == len(re.findall(r"^\| ---", markdown, re.MULTILINE))
    first = markdown.splitlines()[2].strip("|").split("|")[1].strip()
    assert f"<td>{first}</td>" in text
    assert "| ---" not in text


def test_the_worst_for_our_models_comes_first(results: Results) -> None:
    """Our model gives the second tone a bit less than the other codec does, and the first more."""
    ours = coarse("vqcodec model-1")
    names = {tone.samples.size: name for name, tone in tones()}

    def encode(tone: Tone, keep: float) -> bytes:
        return coarse().encode(tone, keep if names[tone.samples.size] == "t1.raw" else keep - 1)

    ours = dataclasses.replace(ours, encode=encode, ladder=(2, 3, 5))
    points = evaluate(ours, tones(), rate=RATE, measures=results.measures)
    at = dataclasses.replace(results.rate, timed=results.curves["other"][1].rate)
    results = dataclasses.replace(
        results,
        rate=at,
        contestants=[ours, coarse("other")],
        curves={ours.name: points, "other": results.curves["other"]},
    )
    assert [name for name, _ in worst_first(results, tones(), 2)] == ["t2.raw", "t1.raw"]
    assert [name for name, _ in worst_first(results, tones(), 1)] == ["t2.raw"]
    text = page(results)
    first, second = text.index('scope="row">t2.raw'), text.index('scope="row">t1.raw')
    assert first < second
    lead = re.search(r"t2\.raw</th><td>[^<]*</td><td>[^<]*</td><td>([^<]*)</td>", text)
    assert lead is not None
    assert float(lead[1]) < 0


def test_curves_are_drawn_for_each_measure(results: Results) -> None:
    text = page(results)
    assert text.count("<svg ") == len(results.measures)
    # A curve for each codec, a dot for each of its settings.
    assert text.count("<circle ") == len(results.measures) * 2 * 3


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_a_click_sorts_in_a_browser(results: Results, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(results), "utf-8")
    names = "[...document.querySelectorAll('table.sortable tbody')][0].innerText.match(/t\\d/g)"
    with open_browser(tmp_path) as browser:
        browser.open(file.as_uri())
        for expected in (["t1", "t2"], ["t2", "t1"]):
            browser.click("table.sortable th button")
            assert browser.value(names) == expected
        turned = "document.querySelector('table.sortable th').ariaSort"
        assert browser.value(turned) == "descending"
        assert browser.complaints == []
        assert [url for url in browser.requests if not url.startswith(("data:", "file:"))] == []
