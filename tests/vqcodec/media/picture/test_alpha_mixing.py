"""Alpha in mixed tiles and in fewer levels: exact round trips, sizes, and payloads that lie."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from vqcodec import InputError, Picture, inspect
from vqcodec.codec import Codec
from vqcodec.errors import CorruptError
from vqcodec.media.picture import alpha_mixing, alpha_tiles
from vqcodec.media.picture.alpha import decode_alpha, encode_alpha, encode_rows
from vqcodec.media.picture.alpha_levels import fewest_steps, steps_at, with_alpha_quality
from vqcodec.media.picture.alpha_mixing import encode_tiles
from vqcodec.media.picture.alpha_rows import check_payload
from vqcodec.media.picture.alpha_tiles import read_tiles
from vqcodec.media.registry import list_media

Plane = NDArray[np.uint8]


def blurred_disc(height: int, width: int) -> Plane:
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).ellipse((width // 5, height // 5, width, height), fill=255)
    return np.array(image.filter(ImageFilter.GaussianBlur(5)))


def gradient(height: int, width: int) -> Plane:
    y, x = np.mgrid[:height, :width]
    plane: Plane = ((2 * y + x) * 255 // (2 * height + width)).astype(np.uint8)
    return plane


def noise(height: int, width: int) -> Plane:
    return np.random.default_rng(5).integers(0, 256, (height, width)).astype(np.uint8)


def letters(height: int, width: int) -> Plane:
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).text((1, 1), "soft edges\nand words", fill=255)
    return np.asarray(image)


SOFT = (blurred_disc, gradient, noise, letters)
SIZES = ((1, 1), (1, 37), (41, 1), (63, 97))


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alpha_tiles, "TILE", (16, 32))
    monkeypatch.setattr(alpha_mixing, "TILE", (16, 32))


@pytest.mark.parametrize("make", SOFT)
@pytest.mark.parametrize("size", SIZES)
def test_soft_alpha_comes_back(make: object, size: tuple[int, int]) -> None:
    assert callable(make)
    plane = make(*size)
    for payload in (encode_tiles(plane), encode_alpha(plane)):
        check_payload(payload, *size)
        np.testing.assert_array_equal(decode_alpha(payload, *size), plane)
    assert len(encode_alpha(plane)) <= min(len(encode_rows(plane)), len(encode_tiles(plane)))


def test_a_soft_disc_takes_far_less_than_rows() -> None:
    plane = blurred_disc(256, 256)
    payload = encode_alpha(plane)
    assert payload[0] == 2
    assert 10 * len(payload) < 6 * len(encode_rows(plane))


@pytest.mark.usefixtures("small_tiles")
def test_any_region_is_a_piece_of_the_whole() -> None:
    plane = blurred_disc(63, 97)
    plane[:16, :32] = 7
    payload = encode_tiles(plane)
    kinds = {type(coded) for _, coded in read_tiles(payload, 63, 97)}
    assert kinds == {int, bytes}
    for top, left, bottom, right in [(0, 0, 63, 97), (15, 31, 17, 33), (62, 96, 63, 97)]:
        region = (slice(top, bottom), slice(left, right))
        np.testing.assert_array_equal(decode_alpha(payload, 63, 97, region=region), plane[region])
        found = decode_alpha(encode_rows(plane), 63, 97, region=region)
        np.testing.assert_array_equal(found, plane[region])


@pytest.mark.usefixtures("small_tiles")
def test_only_the_tiles_of_a_region_are_decoded() -> None:
    plane = noise(16, 64)
    payload = encode_tiles(plane)
    (_, first), _ = read_tiles(payload, 16, 64)
    assert isinstance(first, bytes)
    payload = payload.replace(first, bytes(len(first)), 1)
    right = (slice(0, 16), slice(32, 64))
    np.testing.assert_array_equal(decode_alpha(payload, 16, 64, region=right), plane[right])
    with pytest.raises(CorruptError, match="alpha"):
        decode_alpha(payload, 16, 64)


def test_a_tile_lies_where_the_document_says() -> None:
    """2, steps, then by rows of tiles of 1024 x 1024: 0 and a level, or a length and a field."""
    plane = np.zeros((1030, 1027), np.uint8)
    plane[:1024, 1024:], plane[1024:, :1024] = 255, 170
    assert encode_tiles(plane) == bytes([2, 3, 0, 0, 0, 3, 0, 2, 0, 0])
    np.testing.assert_array_equal(decode_alpha(encode_tiles(plane), 1030, 1027), plane)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"\x02", "begin"),
        (b"\x02\x00\x00\x00", "begin"),
        (b"\x02\x03", "lacks tiles"),
        (b"\x02\x03\x00", "ends inside a tile"),
        (b"\x02\x03\x05abcd", "ends inside a tile"),
        (b"\x02\x03\x00\x04", "level of 4, above 3"),
        (b"\x02\x03\x00\x03\x00", "1 bytes follow"),
        (b"\x02\x03\x80\x00\x03", "more bytes than needed"),
        (b"\x02\x03\xff\xff\xff\xff\x7f", "32 bits"),
    ],
)
def test_a_payload_of_tiles_that_makes_no_sense_is_refused(payload: bytes, says: str) -> None:
    for refuse in (check_payload, decode_alpha):
        with pytest.raises(CorruptError, match=says):
            refuse(payload, 5, 7)


@given(st.integers(1, 255), st.binary(min_size=1, max_size=60), st.booleans())
@settings(deadline=None, max_examples=200)
def test_random_tiles_decode_or_are_refused(steps: int, tail: bytes, measured: bool) -> None:
    payload = bytes((2, steps)) + (bytes((len(tail),)) if measured else b"") + tail
    try:
        plane = decode_alpha(payload, 5, 7)
    except CorruptError:
        return
    check_payload(payload, 5, 7)
    assert plane.shape == (5, 7)
    assert plane.dtype == np.uint8
    assert fewest_steps(plane) <= 255


@given(st.integers(0, 200), st.integers(0, 7))
@settings(deadline=None, max_examples=200)
def test_a_flipped_bit_decodes_or_is_refused(place: int, bit: int) -> None:
    payload = bytearray(encode_tiles(letters(20, 61)))
    payload[place % len(payload)] ^= 1 << bit
    with contextlib.suppress(CorruptError):
        assert decode_alpha(bytes(payload), 20, 61).shape == (20, 61)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("quality", [0, 20, 50, 79.5, 99, 100])
def test_levels_are_as_near_as_promised(quality: float, bits: int) -> None:
    alpha = np.arange(256).astype(f"u{bits // 8}") * (1 if bits == 8 else 257)
    picture = Picture(np.stack([alpha, alpha], axis=1)[None])
    coarse = with_alpha_quality(picture, quality).window((slice(0, 1), slice(0, 256)))
    np.testing.assert_array_equal(coarse[0, :, 0], alpha)
    found, steps = coarse[0, :, 1] // (1 if bits == 8 else 257), steps_at(quality)
    assert (found[0], found[255]) == (0, 255)
    assert len(np.unique(found)) == steps + 1
    assert fewest_steps(found.astype(np.uint8)[None]) == steps
    # Half a step, and half of 1 as levels are whole numbers.
    assert np.abs(found.astype(int) - np.arange(256)).max() <= 127.5 / steps + 0.5
    wanted = 255 * np.round(np.arange(256) * steps / 255) / steps
    assert np.abs(found - wanted).max() <= 0.5


def test_alpha_quality_makes_a_stream_smaller(codec: Codec) -> None:
    grey = np.full((64, 96), 99, np.uint8)
    pixels = np.dstack([grey, blurred_disc(64, 96)])
    sizes = [
        inspect(codec.encode(pixels, alpha_quality=quality)).facts["alpha_bytes"]
        for quality in (100, 60, 20)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] / 2
    assert codec.encode(pixels, alpha_quality=100) == codec.encode(pixels)
    decoded = codec.decode(codec.encode(pixels, alpha_quality=60))
    assert np.abs(decoded[:, :, 1].astype(int) - pixels[:, :, 1]).max() == 2
    assert codec.encode(grey, alpha_quality=0) == codec.encode(grey)


@pytest.mark.parametrize("quality", [-1, 101, float("nan"), "60", True])
def test_another_quality_is_refused(codec: Codec, quality: object) -> None:
    with pytest.raises(InputError, match="alpha_quality must be 0 to 100"):
        codec.encode(np.zeros((8, 8), np.uint8), alpha_quality=quality)  # type: ignore[arg-type]


def test_other_media_refuse_it_by_name() -> None:
    for medium in list_media():
        if medium.name != "picture":
            with pytest.raises(InputError, match=f"{medium.name} has no alpha_quality, got 50"):
                medium.with_options(None, alpha_quality=50)
        assert medium.with_options("a signal", alpha_quality=None) == "a signal"
