"""What the golden files of pictures must cover, and that the built-in models still write them."""

import numpy as np
import pytest
from golden import GOLDEN
from numpy.typing import NDArray

from vqcodec import inspect, load
from vqcodec.media.registry import read_any_stream

PICTURES = GOLDEN["picture"]

# So that a file cannot go missing together with its entry.
MUST_HAVE = {
    *("grey", "grey-alpha", "rgb", "rgb-coarse", "rgba", "one-pixel", "one-row", "one-column"),
    *("odd", "odd-later", "metadata", "two-regions", "rgb-raw", "rgb-static", "rgb-mixing"),
    *("two-regions-raw", "two-regions-static", "two-regions-mixing"),
    *("ten-bits-grey", "twelve-bits-rgb", "sixteen-bits-rgba", "sixteen-bits-regions"),
    *("soft-alpha", "soft-alpha-grey", "soft-alpha-coarse", "soft-alpha-tiles"),
}
# Where networks round otherwise, so many codes stay, and the bytes move by so much at most.
SAME_CODES, SAME_BYTES = 0.8, 0.03


def test_every_kind_of_picture_is_covered() -> None:
    assert set(PICTURES.manifest["valid"]) >= MUST_HAVE
    assert len(PICTURES.manifest["damaged"]) >= 37
    assert len(PICTURES.manifest["built_in"]) == 16
    assert {entry["prior"] for entry in PICTURES.manifest["built_in"].values()} == {2}


# Lowest and highest sample.
DEEP = {
    "ten-bits-grey": (51, 900),
    "twelve-bits-rgb": (100, 4095),
    "sixteen-bits-rgba": (0, 65535),
    "sixteen-bits-regions": (30000, 31000),
}


@pytest.mark.parametrize("name", DEEP)
def test_sixteen_bits_are_the_same(name: str) -> None:
    """The file beside the stream has eight bits; a step of these is so many of sixteen."""
    codec = load(PICTURES.model, device="cpu")
    (low, high), data = DEEP[name], PICTURES.stream("valid", name)
    facts = inspect(data).facts
    assert (facts["bits"], facts["lowest"], facts["highest"]) == (16, low, high)
    fine, coarse = codec.decode(data, bits=16), codec.decode(data)
    colours = slice(0, -1 if coarse.ndim == 3 and coarse.shape[2] == 4 else None)
    if coarse.ndim == 3:
        fine, coarse = fine[:, :, colours], coarse[:, :, colours]
    exact = (fine.astype(float) - low) * 255 / (high - low)
    # Of grey each colour is rounded, and then their mean.
    assert np.abs(exact - coarse).max() <= 1 + 255 / (high - low)


def test_facts_are_really_there() -> None:
    facts = inspect(PICTURES.stream("valid", "metadata")).facts
    assert facts["icc_bytes"] > 300
    assert facts["exif_bytes"] > 20


@pytest.mark.parametrize("model", ["photo", "photo-psnr"])
def test_built_in_models_write_these_files(model: str, photos: list[NDArray[np.uint8]]) -> None:
    """Codes come out of networks in floating point: another processor may choose a few others."""
    crops = {"china": photos[0][100:311, 200:477], "flower": photos[1][80:277, 150:403]}
    codec = load(model, device="cpu")
    for name, entry in PICTURES.built_in(model).items():
        pixels = np.ascontiguousarray(crops[entry["photograph"]])
        data = codec.encode(pixels, quality=entry["quality"])
        expected = PICTURES.stream("built_in", name)
        if data == expected:
            continue
        found, wanted = (
            codec.decode_codes(read_any_stream(stream)[1]) for stream in (data, expected)
        )
        assert np.mean(found == wanted) >= SAME_CODES, name
        assert len(data) == pytest.approx(len(expected), rel=SAME_BYTES), name
