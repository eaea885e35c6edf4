"""The page of one signal: what it holds, where its bytes went, and how it behaves in a browser."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from chromium import CHROMIUM, Page, open_browser
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_image

from vqcodec import Picture, load
from vqcodec.bitstream import read_header
from vqcodec.errors import InputError
from vqcodec.evaluation import codec_contestant
from vqcodec.media.registry import find_workshop
from vqcodec.report import Trial, Usage, check_fits, comparison_page, find_usage, run_trial

SHOP = find_workshop("picture")
VIEWER = "viewer/index.html"


@pytest.fixture(scope="module")
def trial() -> Trial:
    """A crop of odd sides through our own codec and JPEG."""
    crop = load_sample_image("china.jpg")[100:221, 60:265]
    ours = codec_contestant(load("photo", device="cpu"), settings="", qualities=(10, 50))
    return run_trial(
        "a <crop>.png",
        Picture(np.ascontiguousarray(crop)),
        [ours, SHOP.peers["jpeg"]()],
        at=(0.4, 0.8),
        rate=SHOP.rate,
        measures=SHOP.measures[:1],
    )


@pytest.fixture(scope="module")
def usages(trial: Trial) -> dict[int, Usage]:
    codec = load("photo", device="cpu")
    ours = [n for n, entry in enumerate(trial.entries) if entry.codec.startswith("vqcodec")]
    return {number: find_usage(codec, trial.entries[number].data) for number in ours}


@pytest.fixture(scope="module")
def page(trial: Trial, usages: dict[int, Usage]) -> str:
    return comparison_page(trial, SHOP, usages, stride=(8, 8), viewer=VIEWER)


def test_files_are_the_largest_within_a_rate(trial: Trial) -> None:
    assert trial.entries
    for entry in trial.entries:
        assert entry.row.rate <= entry.within
        assert entry.row.size == len(entry.data)
        contestant = next(c for c in trial.contestants if c.name == entry.codec)
        again = contestant.encode(trial.signal, entry.setting)
        assert len(again) == entry.row.size
    jpeg = next(e for e in trial.entries if e.codec == "jpeg" and e.within == 0.8)
    larger = next(c for c in trial.contestants if c.name == "jpeg").encode(
        trial.signal, round(jpeg.setting) + 3
    )
    assert 8 * len(larger) / (121 * 205) > 0.8


def test_bits_of_positions_add_up_to_the_file(trial: Trial, usages: dict[int, Usage]) -> None:
    for number, usage in usages.items():
        size = len(trial.entries[number].data)
        assert usage.positions.shape == (16, 26)
        assert (usage.positions > 0).all()
        stages = sum(stage.bits for stage in usage.stages)
        assert usage.positions.sum(dtype=np.float64) == pytest.approx(stages, rel=1e-5)
        # The coder ends with less than two bytes more than the information; an interval may by
        # luck hold a number that is shorter than that by some bits.
        assert -1 < size - usage.besides - stages / 8 < 3
        assert len(usage.stages) == read_header(trial.entries[number].data).stages
        for stage in usage.stages:
            assert 1 <= stage.perplexity <= stage.codes <= usage.codebook_size


def test_the_page_holds_everything_as_text(page: str, trial: Trial) -> None:
    assert "<h1>a &lt;crop&gt;.png</h1>" in page
    assert "<crop>" not in page
    assert re.findall(r"https?:", page) == []
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(s.startswith(("data:", f"{VIEWER}#data:")) for s in sources)
    kept = [
        base64.b64decode(found)
        for found in re.findall(r'download="[^"]*" href="data:[^,]*,([^"]*)"', page)
    ]
    assert kept == [entry.data for entry in trial.entries]


def test_without_a_viewer_nothing_is_linked(trial: Trial, usages: dict[int, Usage]) -> None:
    page = comparison_page(trial, SHOP, usages, stride=(8, 8))
    assert ">view</a>" not in page


@pytest.mark.parametrize("extent", [(100,), (2, 3, 4), (2**13, 2**12)])
def test_what_no_page_shows_is_refused(extent: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"axes|at most"):
        check_fits(extent)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_the_page_in_a_browser(page: str, trial: Trial, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page, "utf-8")
    with open_browser(tmp_path) as browser:
        browser.open(file.as_uri())
        browser.wait("document.querySelector('#stage').offsetHeight > 50")
        _check_slider(browser, trial, tmp_path)
        _check_controls(browser)
        assert browser.complaints == []
        assert [url for url in browser.requests if not url.startswith(("data:", "file:"))] == []


def _check_slider(browser: Page, trial: Trial, folder: Path) -> None:
    """What is left of the slider is the original, what is right of it the first file."""
    browser.set("#zoom", 1)
    original, decoded = trial.signal.pixels, trial.entries[0].decoded.pixels
    for percent in (50, 20):
        browser.set("#split", percent)
        seen = _stage(browser, folder, original.shape)
        edge = round(original.shape[1] * percent / 100)
        left, right = slice(0, edge - 4), slice(edge + 4, None)
        assert np.abs(seen[:, left] - original[:, left]).mean() < 1.5
        assert np.abs(seen[:, right] - decoded[:, right]).mean() < 1.5
        assert np.abs(seen[:, right] - original[:, right]).mean() > 1.5
    browser.value("document.querySelector('#split').focus()")
    browser.press("ArrowRight")
    assert float(browser.value("document.querySelector('#split').value")) > 20


def _stage(browser: Page, folder: Path, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """What the browser shows of the two layers, one pixel for one."""
    box = "document.querySelector('#stage').getBoundingClientRect()"
    left, top = (round(browser.value(f"{box}.{side}")) for side in ("left", "top"))
    browser.screenshot(folder / "slider.png")
    with Image.open(folder / "slider.png") as image:
        seen = np.asarray(image.convert("RGB"), np.int64)
    return seen[top : top + shape[0], left : left + shape[1]]


def _check_controls(browser: Page) -> None:
    browser.click("[value=difference]")
    assert browser.value("document.querySelector('#stage').classList.contains('difference')")
    browser.click("[value=slider]")
    browser.click("#bits")
    assert browser.value("document.querySelector('#map').width") == 26
    assert "bits a position" in browser.text("#said-map")
    rows = "[...document.querySelector('table').tBodies[0].rows]"
    sizes = f"{rows}.map((row) => Number(row.cells[3].textContent.replaceAll(',', '')))"
    browser.click("th:nth-child(4) button")
    values = browser.value(sizes)
    assert values == sorted(values)
    browser.click("th:nth-child(4) button")
    assert browser.value(sizes) == sorted(values, reverse=True)


def test_layers_say_what_they_are(page: str, trial: Trial) -> None:
    found = re.search(r'id="layers">(.*?)</script>', page)
    assert found is not None
    layers = json.loads(found[1])["layers"]
    assert [layer["title"] for layer in layers[1:]] == [
        f"{entry.codec} at {entry.within:g} bpp" for entry in trial.entries
    ]
    assert all(
        f"{entry.row.size:,} bytes" in layer["said"]
        for layer, entry in zip(layers[1:], trial.entries, strict=True)
    )
