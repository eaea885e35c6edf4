"""Alpha, colour profile and EXIF data as side chunks: what stands there and what is refused."""

import dataclasses
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream import DEFAULT_LIMITS, Chunk, Header, Limits, Stream, inflated_chunk
from vqcodec.errors import CorruptError, FormatError, InputError, LimitError
from vqcodec.media.picture.chunks import ICC, check_alpha, pack_chunks
from vqcodec.media.picture.signal import Picture

HEADER = Header(
    medium=0, extent=(1, 1), channels=3, stages=1, prior=0, fingerprint=bytes(8), regions=1
)


def picture(*, channels: int = 3, icc: bytes | None = None, exif: bytes | None = None) -> Picture:
    return Picture(np.zeros((2, 3, channels), np.uint8), icc=icc, exif=exif)


def unpack(payload: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    found = inflated_chunk(Stream(HEADER, (Chunk(ICC, payload),), ()), ICC, limits)
    assert found is not None
    return found


@pytest.mark.parametrize("raw", [b"", b"\x00", b"profile" * 100])
def test_facts_read_back(raw: bytes) -> None:
    chunks = pack_chunks(picture(icc=raw, exif=raw + b"!"), facts=True)
    assert [chunk.type for chunk in chunks] == ["i", "e"]
    assert [unpack(chunk.payload) for chunk in chunks] == [raw, raw + b"!"]
    assert [zlib.decompress(chunk.payload) for chunk in chunks] == [raw, raw + b"!"]


def test_without_facts_alpha_is_left() -> None:
    assert pack_chunks(picture(icc=b"icc", exif=b"exif"), facts=False) == []
    kept = pack_chunks(picture(channels=4, icc=b"icc"), facts=False)
    assert [chunk.type for chunk in kept] == ["A"]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_alpha_must_fit_the_channels(channels: int) -> None:
    alpha = [Chunk("A", b"\x00\x80")]
    right, wrong = ([], alpha) if channels in (1, 3) else (alpha, [])
    header = dataclasses.replace(HEADER, channels=channels)
    check_alpha(header, right)
    with pytest.raises(CorruptError, match="alpha"):
        check_alpha(header, wrong)


def test_facts_that_no_reader_takes_are_not_written() -> None:
    largest = bytes(Limits().max_metadata_bytes)
    (chunk,) = pack_chunks(picture(icc=largest), facts=True)
    assert unpack(chunk.payload) == largest
    with pytest.raises(InputError, match="16777217 bytes is more than the 16777216"):
        pack_chunks(picture(exif=largest + b"!"), facts=True)


def test_a_bomb_is_stopped() -> None:
    bomb = zlib.compress(bytes(2**26), 9)
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="more than the limit of 65536 bytes"):
            unpack(bomb, Limits(max_metadata_bytes=2**16))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    exact = zlib.compress(bytes(2**16))
    assert len(unpack(exact, Limits(max_metadata_bytes=2**16))) == 2**16


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no zlib",
        zlib.compress(b"profile")[:-1],
        zlib.compress(b"profile") + b"!",
        zlib.compress(b"profile")[:-1] + b"\x00",
    ],
)
def test_a_fact_must_be_one_zlib_stream(payload: bytes) -> None:
    with pytest.raises(CorruptError):
        unpack(payload)


@given(st.binary(max_size=100))
@settings(deadline=None, max_examples=500)
def test_random_facts(payload: bytes) -> None:
    try:
        raw = unpack(payload, Limits(max_metadata_bytes=2**16))
    except FormatError:
        return
    assert raw == zlib.decompress(payload)


def test_packing_twice_gives_the_same_bytes() -> None:
    made = [
        pack_chunks(picture(channels=2, icc=bytes(range(256)) * 20, exif=b"exif" * 500), facts=True)
        for _ in range(2)
    ]
    assert made[0] == made[1]
