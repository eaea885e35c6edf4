"""Damaged and hostile streams of arrays: named errors, and no memory for what is not there."""

import dataclasses
from typing import Any

import numpy as np
import pytest

import vqcodec
from vqcodec import decode_array, encode_array
from vqcodec.bitstream import Chunk, Stream, write_stream
from vqcodec.errors import CorruptError, FormatError, InputError, LimitError
from vqcodec.media.array.description import pack_description, unpack_description
from vqcodec.media.registry import read_any_stream


def holes() -> Any:
    values = np.sin(np.arange(240).reshape(12, 20) / 9).astype(np.float32)
    values[3, 4:9] = np.nan
    return values


STREAMS = {
    "lattice": lambda: encode_array(holes(), max_error=0.01, chunk=(7, 9)),
    "ranks": lambda: encode_array(np.arange(400) % 9 * 77, lossless=True),
    "low bits": lambda: encode_array(np.random.default_rng(0).normal(size=40), lossless=True),
    "patches": lambda: encode_array(np.float32(1e7) + np.arange(30) / 8, max_error=0.6),
    "linear": lambda: encode_array(
        np.random.default_rng(0).integers(0, 99, (30, 40)).cumsum(1), max_error=5
    ),
}


@pytest.fixture(scope="module", params=STREAMS)
def data(request: pytest.FixtureRequest) -> bytes:
    made: bytes = STREAMS[request.param]()
    return made


def test_cuts_and_flipped_bits(data: bytes) -> None:
    for length in range(0, len(data), 1 + len(data) // 200):
        with pytest.raises(FormatError):
            decode_array(data[:length])
    for place in range(0, len(data), 1 + len(data) // 300):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(FormatError):
            decode_array(bytes(damaged))


def written(stream: Stream) -> bytes:
    return write_stream(stream.header, stream.side_chunks, stream.codes)


def test_damage_under_a_right_checksum_is_refused_or_gives_an_array(data: bytes) -> None:
    """What a hostile encoder could write: no other error, and never another shape."""
    _, stream = read_any_stream(data)
    rng = np.random.default_rng(5)
    shape, refused, tries = decode_array(data).shape, 0, 0
    parts = [chunk.payload for chunk in stream.side_chunks] + list(stream.codes)
    for number, part in enumerate(parts):
        for _ in range(min(60, 2 * len(part))):
            changed = bytearray(part)
            changed[rng.integers(min(len(part), 24))] = rng.integers(256)
            side, codes = list(stream.side_chunks), list(stream.codes)
            if number < len(side):
                side[number] = Chunk(side[number].type, bytes(changed))
            else:
                codes[number - len(side)] = bytes(changed)
            tries += 1
            try:
                found = decode_array(written(Stream(stream.header, tuple(side), tuple(codes))))
            except FormatError:
                refused += 1
            else:
                assert found.shape == shape
    assert refused > tries / 5


def test_contradictions_are_refused() -> None:
    _, stream = read_any_stream(STREAMS["lattice"]())
    header, side, codes = stream.header, stream.side_chunks, stream.codes
    wrong = [
        Stream(dataclasses.replace(header, extent=(12, 21)), side, codes),
        Stream(dataclasses.replace(header, extent=(240,)), side, codes),
        Stream(dataclasses.replace(header, channels=2), side, codes),
        Stream(dataclasses.replace(header, stages=2), side, codes),
        Stream(dataclasses.replace(header, prior=2), side, codes),
        Stream(dataclasses.replace(header, fingerprint=b"12345678"), side, codes),
        Stream(dataclasses.replace(header, regions=len(codes) + 1), side, (*codes, codes[0])),
        Stream(header, (), codes),
        Stream(header, (*side, Chunk("R", b"")), codes),
        Stream(header, side, (codes[0] + b"\0", *codes[1:])),
        Stream(header, side, (b"", *codes[1:])),
    ]
    for made in wrong:
        with pytest.raises(CorruptError):
            decode_array(written(made))


def test_a_promise_of_many_values_takes_no_memory() -> None:
    _, stream = read_any_stream(encode_array(np.arange(6), lossless=True))
    d = unpack_description(stream.side_chunks[0].payload)
    for length in (1 << 20, 1 << 28, 1 << 31):
        large = dataclasses.replace(d, shape=(length,), chunk=(length,))
        header = dataclasses.replace(stream.header, extent=(length,))
        side = (Chunk("A", pack_description(large)), *stream.side_chunks[1:])
        with pytest.raises((CorruptError, LimitError)):
            decode_array(written(Stream(header, side, stream.codes)))


def test_limits_hold() -> None:
    data = encode_array(np.arange(12.0), max_error=1)
    assert decode_array(data, max_samples=12).shape == (12,)
    with pytest.raises(LimitError, match="12 samples, more than the limit of 11"):
        decode_array(data, max_samples=11)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "there is no default"),
        ({"max_error": 1, "lossless": True}, "give one of them"),
        ({"max_error": -1}, "a number from 0"),
        ({"max_error": "a lot"}, "'a lot'"),
        ({"max_error": float("nan")}, "nan"),
        ({"max_relative_error": 2}, "0 to 0.5"),
        ({"psnr": 0}, "decibels"),
        ({"lossless": True, "chunk": (3,)}, "a chunk has 2 axes"),
        ({"lossless": True, "chunk": (3, 0)}, "chunk must be"),
        ({"lossless": True, "missing": "x"}, "missing value of 'x'"),
        ({"lossless": True, "threads": 0}, "threads must be"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        encode_array(np.zeros((4, 5), np.float32), **options)


@pytest.mark.parametrize(
    "thing",
    [
        None,
        np.array(["text"]),
        np.array([object()]),
        np.zeros(3, "M8[s]"),
        np.zeros(3, np.longdouble),
        np.zeros(2, [("a", "f4")]),
        np.ma.masked_array(np.zeros(3), mask=[False, True, False]),
    ],
    ids=["none", "text", "objects", "times", "long", "records", "masked"],
)
def test_what_is_no_array_of_numbers(thing: Any) -> None:
    with pytest.raises(InputError):
        encode_array(thing, lossless=True)


@pytest.mark.parametrize(
    ("dtype", "missing"),
    [("uint8", -1), ("int16", 1e20), ("int16", np.nan), ("float32", 1e300), ("float16", 1e20)],
)
def test_a_missing_value_that_the_dtype_has_not(dtype: str, missing: float) -> None:
    with pytest.raises(InputError, match=f"{dtype} cannot hold the missing value"):
        encode_array(np.zeros(3, dtype), lossless=True, missing=missing)


@pytest.mark.parametrize("region", [(slice(0, 0),), (slice(0, 4, 2),), (3,), (slice(0, 1),) * 3])
def test_regions_that_make_no_sense(region: Any) -> None:
    data = encode_array(np.zeros((4, 5)), lossless=True)
    with pytest.raises(InputError, match="a region"):
        decode_array(data, region=region)


def test_a_stream_of_another_medium_is_none() -> None:
    picture = vqcodec.load("photo", device="cpu").encode(np.zeros((16, 16), np.uint8))
    with pytest.raises(CorruptError, match="not of an array"):
        decode_array(picture)
