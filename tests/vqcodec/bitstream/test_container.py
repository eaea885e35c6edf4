"""Whole streams: exact bytes, and the right error for each kind of damage."""

import re
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream import (
    DEFAULT_LIMITS,
    Chunk,
    Header,
    Limits,
    Stream,
    packed_size,
    read_header,
    write_stream,
)
from vqcodec.bitstream import read_stream as read_stream_of
from vqcodec.bitstream.header import pack_header
from vqcodec.errors import (
    ChecksumError,
    CorruptError,
    FormatError,
    InputError,
    LimitError,
    TruncatedError,
    UnsupportedVersionError,
)


def header(*, extent: tuple[int, int] = (20, 30), channels: int = 3, regions: int = 1) -> Header:
    return Header(
        medium=0,
        extent=extent,
        channels=channels,
        stages=4,
        prior=1,
        fingerprint=b"\x01\x02\x03\x04\x05\x06\x07\x08",
        regions=regions,
    )


def read_stream(data: Any, limits: Limits = DEFAULT_LIMITS) -> Stream:
    """Read a stream of a medium that knows three side chunks."""
    return read_stream_of(data, limits, letters="Aie")


def raw_chunk(head: Header, letter: bytes, payload: bytes, number: int = 0) -> bytes:
    """Write a chunk as docs/format.md says, for payloads of fewer than 128 bytes."""
    body = letter + bytes([len(payload)]) + payload
    place = pack_header(head)[-4:] + number.to_bytes(4, "little")
    return body + zlib.crc32(place + body).to_bytes(4, "little")


def raw_stream(head: Header, *chunks: tuple[bytes, bytes]) -> bytes:
    """Write a stream of any chunks, code chunks numbered as they come."""
    out, region = pack_header(head), 0
    for letter, payload in chunks:
        out += raw_chunk(head, letter, payload, region if letter == b"C" else 0)
        region += letter == b"C"
    return out


SMALL = raw_stream(
    header(channels=4), (b"i", zlib.compress(b"icc" * 9)), (b"A", b"\x00\x80"), (b"C", b"payload")
)
TWO_REGIONS = raw_stream(header(regions=2), (b"C", b"left"), (b"C", b"right"))


def test_a_stream_has_the_documented_bytes() -> None:
    side = [Chunk("i", zlib.compress(b"icc" * 9)), Chunk("A", b"\x00\x80")]
    assert write_stream(header(channels=4), side, [b"payload"]) == SMALL
    assert read_stream(SMALL) == Stream(header(channels=4), tuple(side), (b"payload",))
    two = header(regions=2)
    assert write_stream(two, [], [b"left", b"right"]) == TWO_REGIONS
    assert read_stream(TWO_REGIONS) == Stream(two, (), (b"left", b"right"))


def test_the_example_of_the_document_is_a_stream() -> None:
    document = (Path(__file__).parents[3] / "docs" / "format.md").read_text()
    dump = re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+)$", document, re.MULTILINE)
    head = Header(
        medium=0,
        extent=(10, 20),
        channels=2,
        stages=2,
        prior=0,
        fingerprint=bytes.fromhex("0123456789abcdef"),
        regions=1,
    )
    codes = bytes.fromhex("11 12 13 14 15 16 00 00 21 00 00 22")
    written = write_stream(head, [Chunk("A", b"\x00\xff")], [codes])
    assert written == bytes.fromhex("".join(dump))


def test_a_small_photo_costs_at_most_35_bytes() -> None:
    largest = header(extent=(1024, 1023))
    assert len(write_stream(largest, [], [bytes(16383)])) == 16383 + 35


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_buffer_is_read(kind: type) -> None:
    assert read_stream(kind(SMALL)) == read_stream(SMALL)
    assert read_header(kind(SMALL)) == header(channels=4)


@pytest.mark.parametrize("thing", ["text", 5, None, [1, 2]])
def test_what_is_no_buffer_is_refused(thing: object) -> None:
    with pytest.raises(InputError, match=type(thing).__name__):
        read_stream(thing)


@pytest.mark.parametrize("stream", [SMALL, TWO_REGIONS])
def test_every_truncation_is_named(stream: bytes) -> None:
    for size in range(len(stream)):
        with pytest.raises(TruncatedError):
            read_stream(stream[:size])


@pytest.mark.parametrize("stream", [SMALL, TWO_REGIONS])
def test_every_flipped_bit_is_noticed(stream: bytes) -> None:
    for bit in range(8 * len(stream)):
        damaged = bytearray(stream)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            read_stream(damaged)


def test_a_flipped_bit_in_a_payload_is_a_checksum_error() -> None:
    start = SMALL.index(b"payload")
    for bit in range(8 * (len(SMALL) - start)):
        damaged = bytearray(SMALL)
        damaged[start + bit // 8] ^= 1 << bit % 8
        with pytest.raises(ChecksumError, match=r"checksum of code chunk 0 .*damaged"):
            read_stream(damaged)


@pytest.mark.parametrize("value", [0x00, 0xFF])
def test_every_byte_overwritten_is_noticed(value: int) -> None:
    for place, byte in enumerate(SMALL):
        if byte != value:
            with pytest.raises(FormatError):
                read_stream(SMALL[:place] + bytes([value]) + SMALL[place + 1 :])


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_two_swapped_bytes_are_noticed(data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(SMALL) - 1))
    second = data.draw(st.integers(0, len(SMALL) - 1))
    damaged = bytearray(SMALL)
    damaged[first], damaged[second] = damaged[second], damaged[first]
    if damaged != SMALL:
        with pytest.raises(FormatError):
            read_stream(damaged)


@pytest.mark.parametrize("tail", [b"\x00", b"\n", bytes(8), b"C\x00\x00\x00\x00\x00"])
def test_trailing_bytes_are_refused(tail: bytes) -> None:
    with pytest.raises(CorruptError, match=f"{len(tail)} bytes follow the end"):
        read_stream(SMALL + tail)


def test_two_streams_in_a_row_are_refused() -> None:
    with pytest.raises(CorruptError, match=f"{len(SMALL)} bytes follow"):
        read_stream(SMALL + SMALL)


def test_chunks_in_another_place_are_noticed() -> None:
    head = header(regions=2)
    left, right = raw_chunk(head, b"C", b"left", 0), raw_chunk(head, b"C", b"right", 1)
    assert pack_header(head) + left + right == TWO_REGIONS
    for chunks in (right + left, left + left):
        with pytest.raises(ChecksumError):
            read_stream(pack_header(head) + chunks)
    with pytest.raises(ChecksumError):
        read_stream(pack_header(header(extent=(20, 31), regions=2)) + left + right)


def test_an_unknown_optional_chunk_is_skipped() -> None:
    stream = read_stream(raw_stream(header(), (b"z", b"new"), (b"z", b""), (b"C", b"x")))
    assert stream.codes == (b"x",)
    assert stream.payload("z") == b"new"


def test_an_unknown_critical_chunk_is_refused() -> None:
    with pytest.raises(UnsupportedVersionError, match="'Z' needs a newer vqcodec"):
        read_stream(raw_stream(header(), (b"Z", b"new"), (b"C", b"x")))


@pytest.mark.parametrize("letter", [b"\x00", b"1", b"[", b"\xc1", b"\xe9", b"\xff"])
def test_a_type_must_be_a_letter(letter: bytes) -> None:
    with pytest.raises(CorruptError, match="no letter"):
        read_stream(raw_stream(header(), (letter, b"new"), (b"C", b"x")))


@pytest.mark.parametrize("letter", [b"i", b"e", b"A"])
def test_a_doubled_chunk_is_refused(letter: bytes) -> None:
    with pytest.raises(CorruptError, match="2 chunks of type"):
        read_stream(raw_stream(header(), (letter, b"1"), (letter, b"1"), (b"C", b"x")))


def test_only_code_chunks_may_follow_a_code_chunk() -> None:
    head = header(regions=2)
    with pytest.raises(CorruptError, match="code chunk 1 expected, found one of type 'z'"):
        read_stream(pack_header(head) + raw_chunk(head, b"C", b"x") + raw_chunk(head, b"z", b"", 1))


def test_a_huge_signal_in_a_tiny_file_takes_no_memory() -> None:
    declared = pack_header(header(extent=(65535, 65535), regions=4096))
    lengths = [b"C\xff\xff\xff\xff\x0f", b"i\xff\xff\xff\xff\x07", b"C\x80\x80\x80\x80\x08"]
    small = pack_header(header())
    tracemalloc.start()
    try:
        with pytest.raises(LimitError):
            read_stream(declared + bytes(40))
        with pytest.raises(TruncatedError, match="cannot hold 4096 code chunks"):
            read_stream(declared + bytes(40), Limits(max_samples=2**40))
        for length in lengths:
            with pytest.raises(TruncatedError):
                read_stream(small + length + bytes(40))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_metadata_is_limited_before_it_is_copied() -> None:
    payload = bytes(2**22)
    data = write_stream(header(), [Chunk("z", payload)], [b"x"])
    assert read_stream(data, Limits(max_metadata_bytes=2**22)).payload("z") == payload
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="4194304 bytes of payload"):
            read_stream(data, Limits(max_metadata_bytes=2**22 - 1))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_the_number_of_side_chunks_is_limited() -> None:
    data = write_stream(header(), [Chunk("z", b"")] * 5, [b"x"])
    assert len(read_stream(data, Limits(max_side_chunks=5)).side_chunks) == 5
    with pytest.raises(LimitError, match="more than 4 chunks"):
        read_stream(data, Limits(max_side_chunks=4))


@pytest.mark.parametrize(
    ("side", "codes", "says"),
    [
        ([], [], "1 regions, got 0"),
        ([], [b"", b""], "1 regions, got 2"),
        ([Chunk("C", b"")], [b""], "cannot be of type 'C'"),
    ],
)
def test_what_could_not_be_read_is_not_written(
    side: Sequence[Chunk], codes: Sequence[bytes], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        write_stream(header(), side, codes)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_the_size_of_a_chunk_is_known_before_it_is_made(payload: bytes) -> None:
    bare = len(pack_header(header()))
    assert len(write_stream(header(), [], [payload])) == bare + packed_size(payload)


@pytest.mark.parametrize("letter", ["", "ab", "1", "é", "ª"])
def test_a_chunk_has_one_letter(letter: str) -> None:
    with pytest.raises(InputError, match="one ASCII letter"):
        Chunk(letter, b"")
