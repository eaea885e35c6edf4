"""The workshop of pictures: what training and evaluation are given is what there is."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from vqcodec.media.picture.measures import ms_ssim, psnr, ssimulacra2
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.workshop import WORKSHOP


def test_default_names_are_of_what_there_is() -> None:
    names = [measure.name for measure in WORKSHOP.measures]
    assert names == ["psnr", "ms-ssim", "ssimulacra2"]
    assert set(WORKSHOP.default_measures) <= set(names)
    assert set(WORKSHOP.default_peers) <= set(WORKSHOP.peers)


def test_rate_is_bits_per_pixel() -> None:
    picture = Picture(np.zeros((40, 100, 3), np.uint8))
    assert (WORKSHOP.rate.unit, WORKSHOP.rate.of(1000, picture)) == ("bpp", 2.0)
    assert WORKSHOP.rate.timed in WORKSHOP.rate.table


def test_measures_are_those_of_the_pixels() -> None:
    pytest.importorskip("ssimulacra2", reason="a measure needs ssimulacra2")
    random = np.random.default_rng(1)
    original = random.integers(0, 200, (23, 31, 3), dtype=np.uint8)
    decoded = original + random.integers(0, 30, original.shape, dtype=np.uint8)
    found = [measure.of(Picture(decoded), Picture(original)) for measure in WORKSHOP.measures]
    # In this order: not every measure takes the two for each other.
    assert found == [f(decoded, original) for f in (psnr, ms_ssim, ssimulacra2)]
    assert found[2] != ssimulacra2(original, decoded)


def test_curves_show_decibels_of_the_mean_similarity() -> None:
    of_mean = {measure.name: measure.of_mean for measure in WORKSHOP.measures}
    assert of_mean["ms-ssim"](0.99) == pytest.approx(20)
    assert of_mean["psnr"](31.5) == 31.5
    assert of_mean["ssimulacra2"](-12.5) == -12.5


@pytest.mark.parametrize("side", [7, 8, 10, 11])
def test_a_measure_is_asked_only_where_it_fits(side: int) -> None:
    picture = Picture(np.full((side, 64, 3), 9, np.uint8))
    for measure, smallest in zip(WORKSHOP.measures, (1, 11, 8), strict=True):
        assert measure.fits(picture.extent) == (side >= smallest)
        if measure.fits(picture.extent):
            assert math.isclose(measure.of(picture, picture), measure.high, abs_tol=1e-6)


def test_codecs_are_compared_on_colours_without_facts() -> None:
    four = np.random.default_rng(0).integers(0, 256, (3, 5, 4), dtype=np.uint8)
    for channels in (1, 2):
        colours = WORKSHOP.comparable(Picture(four[..., :channels], icc=b"profile"))
        assert np.array_equal(colours.pixels, np.repeat(four[..., :1], 3, axis=2))
        assert (colours.icc, colours.exif) == (None, None)
    for channels in (3, 4):
        colours = WORKSHOP.comparable(Picture(four[..., :channels], exif=b"MM"))
        assert np.array_equal(colours.pixels, four[..., :3])
        assert (colours.icc, colours.exif) == (None, None)


def test_files_are_read_as_such() -> None:
    grey = np.arange(35, dtype=np.uint8).reshape(5, 7)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format="PNG")
    read = WORKSHOP.read(file.getvalue())
    assert np.array_equal(read.pixels, np.repeat(grey[..., None], 3, axis=2))


def test_panels_are_drawn_as_a_strip() -> None:
    picture = Picture(np.full((20, 30, 3), 77, np.uint8))
    with Image.open(io.BytesIO(WORKSHOP.draw([("a", picture), ("b", picture)]))) as strip:
        assert strip.size == (66, 46)
        assert strip.getpixel((0, 45)) == (77, 77, 77)
