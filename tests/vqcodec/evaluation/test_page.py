"""The page of results: everything in one file, each codec at like rates."""

import base64
import dataclasses
import re

import pytest
from tones import LIKENESS, RATE, SNR, Tone, coarse, tones

from vqcodec.evaluation import Results, as_markdown, as_page, evaluate, spread
from vqcodec.media.workshop import Workshop


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
    shown = spread(tones(), count)
    return as_page(results, shop, shown, tables=as_markdown(results), plot=b"a plot")


def test_every_codec_is_shown_at_the_setting_nearest_to_a_rate(results: Results) -> None:
    text = page(results, 1)
    name, tone = tones()[0]
    assert f"<h2>{name}</h2>" in text
    assert tones()[1][0] not in text
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
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert sources == ["data:image/png;base64," + base64.b64encode(b"a plot").decode()]
    assert "http" not in text


def test_tables_are_tables(results: Results) -> None:
    text = page(results)
    markdown = as_markdown(results)
    assert text.count("<table>") == len(re.findall(r"^\| ---", markdown, re.MULTILINE))
    first = markdown.splitlines()[2].strip("|").split("|")[1].strip()
    assert f"<td>{first}</td>" in text
    assert "| ---" not in text


@pytest.mark.parametrize(("count", "expected"), [(1, "a"), (2, "ad"), (4, "acdf"), (9, "abcdef")])
def test_signals_are_spread_over_all(count: int, expected: str) -> None:
    found = spread([(name, None) for name in "abcdef"], count)
    assert "".join(name for name, _ in found) == expected
