"""Colours under alpha 0: what becomes of them, that they cost nothing, and that nobody sees it."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.codec import Codec
from vqcodec.media.picture.hidden import fill_hidden, visible_psnr
from vqcodec.media.picture.signal import Picture
from vqcodec.stream_info import inspect

Pixels = NDArray[np.uint8]


def with_disc(colours: Pixels, seed: int = 0) -> Pixels:
    """A soft disc of a picture, and noise where nothing of it is to be seen."""
    height, width = colours.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    alpha = np.clip((0.45 * height - distance) * 40, 0, 255).astype(np.uint8)
    pixels = np.dstack([colours, alpha])
    hidden = alpha == 0
    noise = np.random.default_rng(seed).integers(0, 256, (hidden.sum(), colours.shape[2]))
    pixels[hidden, :-1] = noise
    return pixels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("extent", [(1, 1), (1, 7), (37, 53), (64, 32)])
def test_visible_colours_and_alpha_stay(extent: tuple[int, int], channels: int) -> None:
    random = np.random.default_rng(sum(extent))
    pixels = random.integers(0, 256, (*extent, channels + 1)).astype(np.uint8)
    pixels[:, :, -1] *= random.random(extent) < 0.3
    before = pixels.copy()
    filled = fill_hidden(pixels)
    shown = pixels[:, :, -1] > 0
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(filled[shown], pixels[shown])
    np.testing.assert_array_equal(filled[:, :, -1], pixels[:, :, -1])


def test_what_was_hidden_does_not_matter() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (45, 61, 3)).astype(np.uint8)
    first, second = with_disc(colours, 1), with_disc(colours, 2)
    assert (first != second).any()
    np.testing.assert_array_equal(fill_hidden(first), fill_hidden(second))


def test_one_visible_colour_is_everywhere() -> None:
    """As any mean of equal colours is that colour."""
    pixels = np.random.default_rng(1).integers(0, 256, (83, 45, 4)).astype(np.uint8)
    pixels[:, :, 3] = 0
    pixels[70, 3] = (10, 200, 77, 1)
    assert (fill_hidden(pixels)[:, :, :3] == (10, 200, 77)).all()


def test_hidden_colours_lie_between_the_visible_ones() -> None:
    pixels = np.full((9, 64, 2), 255, np.uint8)
    pixels[:, :, 0] = 10
    pixels[:, 32:, 0] = 90
    pixels[:, 8:56, 1] = 0
    filled = fill_hidden(pixels)[:, :, 0].astype(int)
    assert filled.min() >= 10
    assert filled.max() <= 90
    assert (np.diff(filled[4]) >= 0).all()
    assert np.diff(filled[4]).max() < 40


@pytest.mark.parametrize("channels", [1, 3])
def test_without_alpha_nothing_is_hidden(channels: int) -> None:
    pixels = np.zeros((3, 5, channels), np.uint8)
    assert fill_hidden(pixels) is pixels


def test_where_nothing_is_visible_all_is_black() -> None:
    pixels = np.full((5, 6, 4), 7, np.uint8)
    pixels[:, :, 3] = 0
    assert not fill_hidden(pixels).any()
    picture = Picture(pixels)
    assert visible_psnr(Picture(255 - pixels), picture) == math.inf


def test_hidden_noise_costs_nothing_and_alpha_is_exact(codec: Codec, photo: Pixels) -> None:
    noisy = with_disc(photo)
    data = codec.encode(noisy, quality=60)
    assert data == codec.encode(fill_hidden(noisy), quality=60)
    decoded = codec.decode(data)
    np.testing.assert_array_equal(decoded[:, :, 3], noisy[:, :, 3])
    opaque = noisy.copy()
    opaque[:, :, 3] = np.maximum(opaque[:, :, 3], 1)
    kept = codec.encode(opaque, quality=60)
    assert inspect(data).code_bytes < 0.6 * inspect(kept).code_bytes
    medium = codec.medium
    original = medium.wrap(noisy)
    assert medium.decibels(medium.wrap(decoded), original) >= medium.decibels(
        medium.wrap(codec.decode(kept)), original
    )


def test_decibels_are_of_what_is_seen(codec: Codec, photo: Pixels) -> None:
    first, second = with_disc(photo, 1), with_disc(photo, 2)
    medium = codec.medium
    assert medium.decibels(medium.wrap(first), medium.wrap(second)) == float("inf")
    assert (
        medium.decibels(medium.wrap(codec.decode(codec.encode(first, psnr=21))), Picture(first))
        > 21
    )
