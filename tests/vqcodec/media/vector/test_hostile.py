"""Damaged and hostile streams of vectors: named errors, and no memory for what is not there."""

import dataclasses
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import vqcodec
from vqcodec import vectors
from vqcodec.bitstream import Chunk, Header, Stream, write_stream
from vqcodec.errors import CorruptError, FormatError, LimitError, UnsupportedVersionError
from vqcodec.media.packing import Writer
from vqcodec.media.registry import read_any_stream
from vqcodec.media.vector.codebook import Codebook, pack_codebook, unpack_codebook
from vqcodec.media.vector.codebook_head import CodebookHead, pack_head
from vqcodec.media.vector.description import (
    Description,
    pack_description,
    unpack_description,
)


@pytest.fixture(scope="module")
def small(rows: NDArray[np.float32]) -> bytes:
    return vectors.encode(rows[:500], bytes_per_vector=12, effort=1)


def test_cuts_and_flipped_bits(small: bytes) -> None:
    for length in range(0, len(small), 1 + len(small) // 150):
        with pytest.raises(FormatError):
            vectors.decode(small[:length])
    for place in range(0, len(small), 1 + len(small) // 200):
        damaged = bytearray(small)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(FormatError):
            vectors.decode(bytes(damaged))


def test_damage_under_a_right_checksum_is_refused_or_gives_vectors(small: bytes) -> None:
    """What a hostile encoder could write: no other error, and never another shape."""
    _, stream = read_any_stream(small)
    random = np.random.default_rng(5)
    refused = 0
    for trial in range(120):
        side, codes = list(stream.side_chunks), list(stream.codes)
        number = trial % (len(side) + len(codes))
        inside = number < len(side)
        payload = bytearray(side[number].payload if inside else codes[number - len(side)])
        for _ in range(1 + trial % 3):
            payload[random.integers(len(payload))] ^= 1 << random.integers(8)
        if inside:
            side[number] = Chunk(side[number].type, bytes(payload))
        else:
            codes[number - len(side)] = bytes(payload)
        try:
            found = vectors.decode(write_stream(stream.header, side, codes))
        except FormatError:
            refused += 1
        else:
            assert found.shape == (500, 37)
    assert 20 < refused < 120


def changed(stream: Stream, side: dict[str, bytes], **fields: object) -> bytes:
    header = Header(**{**dataclasses.asdict(stream.header), **fields})
    kept = {chunk.type: chunk.payload for chunk in stream.side_chunks} | side
    chunks = [Chunk(letter, payload) for letter, payload in kept.items() if payload]
    return write_stream(header, chunks, stream.codes[:1] * header.regions)


def test_codes_of_many_gigabytes_are_refused_before_memory_is_taken(
    small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2^28 vectors of one number in 64 stages: 16 GiB of codes in a few kilobytes."""
    book = Codebook(
        mean=np.zeros(1, np.float32),
        basis=np.ones((1, 1), np.int8),
        tables=np.zeros((64, 2, 1), np.int8),
        frequencies=np.tile(np.array([65535, 1], np.uint16), (64, 1)),
        unit=1.0,
    )
    said = Description(dtype="float32", block=2**20, error=0, spread=1)
    side = {"B": pack_codebook(book), "V": pack_description(said)}
    _, stream = read_any_stream(small)
    data = changed(stream, side, extent=(2**28, 1), stages=64, regions=256)
    (tmp_path / "large.vqc").write_bytes(data)
    monkeypatch.setattr(np, "zeros", None)
    for read in (
        lambda: vectors.open(data),
        lambda: vqcodec.inspect(data),
        lambda: vqcodec.decode(tmp_path / "large.vqc", region=(slice(0, 3),)),
    ):
        with pytest.raises(LimitError, match=r"64 stages .* more than the limit of 4"):
            read()


def test_no_more_stages_are_written_than_are_read() -> None:
    values = np.random.default_rng(2).normal(size=(3000, 1)).astype(np.float32)
    data = vectors.encode(values, bytes_per_vector=40, effort=1)
    assert np.square(vectors.decode(data) - values).mean() < 1e-3
    book = vectors.train_codebook(values, bytes_per_vector=40, effort=1)
    vectors.decode(
        vectors.encode(values, bytes_per_vector=40, codebook=book, effort=1), codebook=book
    )


@pytest.mark.parametrize(
    ("side", "fields", "why"),
    [
        ({"V": b""}, {}, "lack their description"),
        ({"B": b""}, {}, "not both nor neither"),
        ({}, {"fingerprint": b"12345678"}, "not both nor neither"),
        ({}, {"channels": 2}, "one channel"),
        ({}, {"extent": (500 * 37,)}, "two axes"),
        ({}, {"prior": 0}, "static codes"),
        ({}, {"regions": 2}, "2 regions"),
        ({}, {"stages": 1}, "and 1"),
        ({}, {"extent": (500, 36)}, "says 36"),
        ({"V": b"\x07\x01" + bytes(16)}, {}, "dtype 7"),
        ({"V": b"\x00\x00" + bytes(16)}, {}, "blocks of 0"),
        ({"V": b"\x00\x01" + struct.pack("<dd", -1, 1)}, {}, "error -1"),
        ({"V": b"\x00\x01" + struct.pack("<dd", 1, np.nan)}, {}, "spread nan"),
        ({"V": b"\x00\x01" + bytes(17)}, {}, "too many"),
    ],
    ids=str,
)
def test_parts_that_contradict_each_other(
    small: bytes, side: dict[str, bytes], fields: dict[str, object], why: str
) -> None:
    _, stream = read_any_stream(small)
    with pytest.raises(CorruptError, match=why):
        vqcodec.inspect(changed(stream, side, **fields))


def test_a_prior_that_vectors_do_not_have(small: bytes) -> None:
    _, stream = read_any_stream(small)
    with pytest.raises((CorruptError, UnsupportedVersionError)):
        vectors.open(changed(stream, {}, prior=3))


@pytest.mark.parametrize(
    "head",
    [
        {"dim": 0},
        {"dim": 5000},
        {"components": 0},
        {"components": 38},
        {"stages": 0},
        {"stages": 65},
        {"size": 0},
        {"size": 4097},
        {"dim": 4096, "components": 1024, "stages": 64, "size": 4096},
        {"unit": 0.0},
        {"unit": -1.0},
        {"unit": float("nan")},
        {"unit": float("inf")},
    ],
    ids=str,
)
def test_a_codebook_is_judged_before_memory_is_taken(head: dict[str, float]) -> None:
    sizes = {"dim": 37, "components": 30, "stages": 3, "size": 50, "unit": 1.0} | head
    out = Writer()
    pack_head(out, CodebookHead(**sizes))  # type: ignore[arg-type]
    with pytest.raises(CorruptError, match="no encoder writes"):
        unpack_codebook(bytes(out.data) + bytes(1000))


def small_codebook() -> Codebook:
    random = np.random.default_rng(4)
    return Codebook(
        mean=np.arange(5, dtype=np.float32),
        basis=random.integers(-128, 128, (4, 5)).astype(np.int8),
        tables=random.integers(-128, 128, (2, 3, 4)).astype(np.int8),
        frequencies=np.array([[1, 65534, 1], [20000, 20000, 25536]], np.uint16),
        unit=0.25,
    )


def test_a_codebook_there_and_back() -> None:
    book = small_codebook()
    back = unpack_codebook(pack_codebook(book))
    for name in ("mean", "basis", "tables", "frequencies"):
        found, wanted = getattr(back, name), getattr(book, name)
        assert found.dtype == wanted.dtype
        assert np.array_equal(found, wanted)
    assert (back.unit, back.fingerprint) == (0.25, book.fingerprint)
    other = dataclasses.replace(book, tables=book.tables ^ np.int8(1))
    assert other.fingerprint != book.fingerprint


@pytest.mark.parametrize("bad", [b"", b"\x01\x02", zlib.compress(bytes(21)), zlib.compress(b"")])
def test_what_does_not_inflate_to_its_size(bad: bytes) -> None:
    out, book = Writer(), small_codebook()
    pack_head(out, book.head)
    out.data += bytes(20)
    out.part(bad)
    with pytest.raises(CorruptError, match=r"zlib|inflate"):
        unpack_codebook(bytes(out.data) + bytes(50))


def test_frequencies_and_means_that_are_none() -> None:
    book = small_codebook()
    wrong = dataclasses.replace(book, frequencies=np.zeros((2, 3), np.uint16))
    with pytest.raises(CorruptError, match="frequencies must be positive"):
        unpack_codebook(pack_codebook(wrong))
    wrong = dataclasses.replace(book, mean=np.full(5, np.nan, np.float32))
    with pytest.raises(CorruptError, match="not finite"):
        unpack_codebook(pack_codebook(wrong))


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_are_a_codebook_or_refused(data: bytes) -> None:
    for head in (b"", pack_codebook(small_codebook())[:13]):
        try:
            book = unpack_codebook(head + data)
        except CorruptError:
            continue
        assert book.rebuild(np.zeros((len(book.tables), 1), np.int64)).shape[0] == 1


@given(st.binary(max_size=40))
def test_any_bytes_are_a_description_or_refused(data: bytes) -> None:
    try:
        found = unpack_description(data)
    except CorruptError:
        return
    assert pack_description(found) == data


@given(
    st.sampled_from(["float32", "float16"]),
    st.integers(1, 2**20),
    st.floats(0, 1e300),
    st.floats(0, 1e300),
)
def test_descriptions_there_and_back(dtype: str, block: int, error: float, spread: float) -> None:
    said = Description(dtype=dtype, block=block, error=error, spread=spread)
    assert unpack_description(pack_description(said)) == said
