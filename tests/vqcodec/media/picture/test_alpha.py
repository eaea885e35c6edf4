"""Alpha planes: exact round trips, a second decoder, and payloads that lie."""

import io
import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from vqcodec.bitstream import Chunk, Stream, write_stream
from vqcodec.codec import Codec
from vqcodec.errors import CorruptError
from vqcodec.media.picture.alpha import decode_alpha, encode_alpha, encode_rows
from vqcodec.media.picture.alpha_mixing import encode_tiles
from vqcodec.media.picture.alpha_rows import check_payload
from vqcodec.media.registry import read_any_stream
from vqcodec.stream_info import inspect

Plane = NDArray[np.uint8]


def unfilter_by_the_document(rows: bytes, height: int, width: int) -> list[list[int]]:
    """Undo the row filters sample by sample, as docs/format.md words them."""
    plane: list[list[int]] = []
    for y in range(height):
        kind, *residual = rows[y * (width + 1) : (y + 1) * (width + 1)]
        row: list[int] = []
        for x in range(width):
            left = row[x - 1] if x else 0
            above = plane[y - 1][x] if y else 0
            corner = plane[y - 1][x - 1] if x and y else 0
            row.append((residual[x] + (0, left, above, left + above - corner)[kind]) % 256)
        plane.append(row)
    return plane


def ramp(height: int, width: int) -> Plane:
    y, x = np.mgrid[:height, :width]
    plane: Plane = ((3 * y + 5 * x) % 256).astype(np.uint8)
    return plane


def disc(height: int, width: int) -> Plane:
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    plane: Plane = np.clip(255 * (min(height, width) / 2 - distance), 0, 255).astype(np.uint8)
    return plane


def planes() -> st.SearchStrategy[Plane]:
    def build(shape: tuple[int, int], seed: int, levels: int) -> Plane:
        samples = np.random.default_rng(seed).integers(0, levels, shape)
        return (samples * (255 // max(1, levels - 1))).astype(np.uint8)

    shapes = st.tuples(st.integers(1, 20), st.integers(1, 20))
    return st.builds(build, shapes, st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5, 256]))


@given(planes())
@settings(deadline=None, max_examples=300)
def test_any_plane_comes_back(plane: Plane) -> None:
    payload = encode_alpha(plane)
    np.testing.assert_array_equal(decode_alpha(payload, *plane.shape), plane)
    assert payload == encode_alpha(plane.copy())


@given(st.binary(max_size=256), st.integers(1, 12), st.integers(1, 12))
@settings(deadline=None, max_examples=300)
def test_filters_mean_what_the_document_says(seed: bytes, height: int, width: int) -> None:
    rows = bytearray((seed + bytes(height * (width + 1)))[: height * (width + 1)])
    for y in range(height):
        rows[y * (width + 1)] %= 4
    decoded = decode_alpha(b"\x01" + zlib.compress(bytes(rows)), height, width)
    assert decoded.tolist() == unfilter_by_the_document(bytes(rows), height, width)


def test_the_payload_is_as_documented() -> None:
    payload = encode_rows(ramp(9, 7))
    assert payload[0] == 1
    rows = zlib.decompress(payload[1:])
    assert unfilter_by_the_document(rows, 9, 7) == ramp(9, 7).tolist()


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_a_constant_plane_takes_two_bytes(value: int) -> None:
    assert encode_alpha(np.full((300, 501), value, np.uint8)) == bytes([0, value])


@pytest.mark.parametrize("plane", [ramp(256, 256), disc(256, 256), disc(99, 301)])
def test_masks_are_no_larger_than_in_png(plane: Plane) -> None:
    payload = encode_alpha(plane)
    png = io.BytesIO()
    Image.fromarray(plane).save(png, "PNG", optimize=True)
    assert len(payload) <= len(png.getvalue())
    np.testing.assert_array_equal(decode_alpha(payload, *plane.shape), plane)


def test_a_plane_that_is_not_contiguous() -> None:
    plane = ramp(20, 30)[::2, ::3]
    np.testing.assert_array_equal(decode_alpha(encode_alpha(plane), 10, 10), plane)


@pytest.mark.parametrize(("height", "width"), [(8, 7), (10, 7), (9, 6), (9, 8), (7, 9), (1, 1)])
def test_another_size_is_refused(height: int, width: int) -> None:
    with pytest.raises(CorruptError, match="exactly"):
        decode_alpha(encode_rows(ramp(9, 7)), height, width)


def filtered(kind: int) -> bytes:
    return b"\x01" + zlib.compress(bytes([kind, 1, 2, 3]))


def test_an_unknown_filter_is_refused() -> None:
    assert decode_alpha(filtered(3), 1, 3).tolist() == [[1, 3, 6]]
    with pytest.raises(CorruptError, match="unknown filter 4"):
        decode_alpha(filtered(4), 1, 3)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00",
        b"\x00\x01\x02",
        b"\x01",
        b"\x02\x00",
        b"\x01no zlib stream",
        filtered(0)[:-1],
        filtered(0) + b"\x00",
        filtered(0)[:-1] + b"\xff",
    ],
)
def test_a_payload_that_makes_no_sense_is_refused(payload: bytes) -> None:
    with pytest.raises(CorruptError):
        decode_alpha(payload, 1, 3)


def test_a_bomb_is_stopped() -> None:
    bomb = b"\x01" + zlib.compress(bytes(2**26), 9)
    tracemalloc.start()
    try:
        with pytest.raises(CorruptError):
            decode_alpha(bomb, 100, 100)
        assert tracemalloc.get_traced_memory()[1] < 2**19
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=80), st.booleans())
@settings(deadline=None, max_examples=500)
def test_random_payloads_decode_or_are_refused(tail: bytes, deflated: bool) -> None:
    payload = b"\x01" + zlib.compress(tail) if deflated else tail
    try:
        plane = decode_alpha(payload, 3, 4)
    except CorruptError:
        return
    assert plane.shape == (3, 4)
    assert plane.dtype == np.uint8


# A whole tile, whose field ends too early.
SPOILT = b"\x02\xff\x01\x80"


class Synthesised(Exception):
    """The network was run."""


@pytest.mark.parametrize(
    "payload",
    [
        SPOILT,
        b"\x01" + zlib.compress(bytes(9)),
        b"\x01no zlib stream",
        b"\x02\x00",
        b"\x01" + zlib.compress(b"\x04" * (37 * 54)),
        encode_rows(ramp(37, 53)) + b"!",
        encode_tiles(ramp(37, 53)) + b"!",
    ],
)
def test_a_bad_plane_is_refused_before_any_network_runs(
    codec: Codec, monkeypatch: pytest.MonkeyPatch, payload: bytes
) -> None:
    def synthesise(*_: object, **__: object) -> None:
        raise Synthesised

    pixels = np.zeros((37, 53, 4), np.uint8)
    _, good = read_any_stream(codec.encode(pixels, quality=0))
    bad = Stream(good.header, (Chunk("A", payload),), good.codes)
    monkeypatch.setattr(codec.pieces, "synthesise", synthesise)
    with pytest.raises(Synthesised):
        codec.decode(good)
    with pytest.raises(CorruptError, match="alpha"):
        codec.decode(bad)
    data = write_stream(bad.header, bad.side_chunks, bad.codes)
    with pytest.raises(CorruptError, match="alpha"):
        codec.decode(data)
    # What is in a tile is looked at when it is decoded, as codes are.
    if payload != SPOILT:
        with pytest.raises(CorruptError, match="alpha"):
            inspect(data)


@pytest.mark.parametrize("encode", [encode_rows, encode_tiles])
def test_checking_a_plane_takes_little_memory(encode: Callable[[Plane], bytes]) -> None:
    payload = encode(disc(2000, 1999))
    tracemalloc.start()
    try:
        check_payload(payload, 2000, 1999)
        assert tracemalloc.get_traced_memory()[1] < 2**19
    finally:
        tracemalloc.stop()
