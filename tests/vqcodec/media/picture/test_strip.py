"""Strips: the pixels as they are, side by side."""

import io

import numpy as np
import pytest
from PIL import Image

from vqcodec.errors import InputError
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.strip import draw_strip


def panels(height: int, width: int, *channels: int) -> list[tuple[str, Picture]]:
    random = np.random.default_rng(0)
    return [
        (f"panel {i}", Picture(random.integers(0, 256, (height, width, count), dtype=np.uint8)))
        for i, count in enumerate(channels)
    ]


def test_strip_shows_the_middle_unscaled_under_a_label() -> None:
    three = panels(50, 90, 3, 3, 3)
    with Image.open(io.BytesIO(draw_strip(three, width=40))) as strip:
        shown = np.asarray(strip)
    assert shown.shape == (40 + 26, 3 * 40 + 2 * 6, 3)
    for number, (_, picture) in enumerate(three):
        left = number * 46
        assert np.array_equal(shown[26:, left : left + 40], picture.pixels[5:45, 25:65])
    assert (shown[:26] < 128).any()


def test_grey_and_alpha_are_shown_as_colours() -> None:
    (_, grey), (_, both) = two = panels(7, 9, 1, 4)
    with Image.open(io.BytesIO(draw_strip(two))) as strip:
        shown = np.asarray(strip)[26:]
    assert np.array_equal(shown[:, :9], np.repeat(grey.pixels, 3, axis=2))
    assert np.array_equal(shown[:, 15:], both.pixels[..., :3])


def test_panels_of_several_sizes_or_none_are_refused() -> None:
    with pytest.raises(InputError, match=r"one size are needed, got \[\(50, 90\), \(9, 90\)\]"):
        draw_strip([*panels(50, 90, 3), *panels(9, 90, 3)])
    with pytest.raises(InputError, match=r"got \[\]"):
        draw_strip([])
