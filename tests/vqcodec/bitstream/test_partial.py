"""What is left of streams that were cut or damaged: regions as they were, or a named error."""

import dataclasses
import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream import (
    Chunk,
    Header,
    PartialStream,
    read_partial_stream,
    read_stream,
    write_stream,
)
from vqcodec.bitstream.chunk import pack_chunk
from vqcodec.bitstream.header import pack_header
from vqcodec.errors import (
    ChecksumError,
    FormatError,
    LimitError,
    TruncatedError,
    UnsupportedVersionError,
)

HEADER = Header(
    medium=0,
    extent=(300, 200),
    channels=3,
    stages=4,
    prior=1,
    fingerprint=bytes(range(8)),
    regions=5,
)
SIDE = [Chunk("i", b"profile"), Chunk("z", b"C later")]
# An empty payload is one that the range coder writes; one of 200 bytes has a length of two.
CODES = [b"first", b"", b"C" * 200, b"fourth", b"\0last"]
STREAM = write_stream(HEADER, SIDE, CODES)
# Where each code chunk begins, and the end.
STARTS = [len(STREAM) - sum(6 + (len(c) > 127) + len(c) for c in CODES[n:]) for n in range(6)]


def read(data: bytes) -> PartialStream:
    return read_partial_stream(data, letters="i")


def is_left(data: bytes) -> bool:
    """Whether regions are left, which must be as they were, and so must header and side chunks."""
    failure = None
    try:
        left = read(data)
    except FormatError as error:
        failure = error
    if failure is not None:
        assert str(failure).isprintable()
        return False
    assert left.header == HEADER
    assert left.side_chunks == tuple(SIDE)
    assert len(left.codes) == len(left.numbers) > 0
    found = [left.codes_of(number) for number in range(5)]
    assert [code for code in found if code is not None] == list(left.codes)
    assert all(code in (None, was) for code, was in zip(found, CODES, strict=True))
    return True


def test_a_whole_stream_is_all_there() -> None:
    left = read(STREAM)
    assert left.numbers == (0, 1, 2, 3, 4)
    whole = read_stream(STREAM, letters="i")
    assert (left.header, left.side_chunks, left.codes) == (HEADER, tuple(SIDE), tuple(CODES))
    assert [whole.codes_of(number) for number in range(5)] == CODES


@pytest.mark.parametrize("length", range(len(STREAM)))
def test_every_cut(length: int) -> None:
    data, whole = STREAM[:length], sum(length >= end for end in STARTS[1:])
    if whole:
        assert read(data).numbers == tuple(range(whole))
        assert is_left(data)
    else:
        with pytest.raises(TruncatedError):
            read(data)
    with pytest.raises(FormatError):
        read_stream(data, letters="i")


def test_every_flipped_bit() -> None:
    left = 0
    for place in range(8 * len(STREAM)):
        data = bytearray(STREAM)
        data[place // 8] ^= 1 << place % 8
        there = is_left(bytes(data))
        # The beginning is needed; and nothing is found where a first chunk hides the others.
        assert there <= (place >= 8 * STARTS[0])
        left += there
    assert left >= 8 * (len(STREAM) - STARTS[1])


@pytest.mark.parametrize("number", range(5))
def test_a_damaged_region_is_passed_over(number: int) -> None:
    data = bytearray(STREAM)
    data[STARTS[number + 1] - 1] ^= 1
    assert read(bytes(data)).numbers == tuple(n for n in range(5) if n != number)


def test_a_region_of_a_wrong_length_hides_the_next_ones() -> None:
    data = bytearray(STREAM)
    data[STARTS[2] + 1] ^= 1
    assert read(bytes(data)).numbers == (0, 1)


def test_regions_stay_in_their_place() -> None:
    """A chunk that was moved is not taken for another region, nor one of another stream."""
    first, second = (STREAM[a:b] for a, b in itertools.pairwise(STARTS[3:]))
    assert read(STREAM[: STARTS[3]] + second + first).numbers == (0, 1, 2)
    other = write_stream(dataclasses.replace(HEADER, stages=3), SIDE, CODES)
    assert read(STREAM[: STARTS[1]] + other[STARTS[1] :]).numbers == (0,)


def test_where_no_region_is_whole_the_first_says_why() -> None:
    alone = write_stream(dataclasses.replace(HEADER, regions=1), [], [b"codes"])
    damaged = alone[:-1] + bytes([alone[-1] ^ 1])
    with pytest.raises(ChecksumError, match="code chunk 0"):
        read(damaged)
    with pytest.raises(TruncatedError, match="declares 5 bytes of payload, only 4"):
        read(alone[:-1])
    with pytest.raises(TruncatedError, match="before the first of 5 code chunks"):
        read(STREAM[: STARTS[0]])


def test_the_beginning_must_be_whole() -> None:
    unknown = write_stream(HEADER, [Chunk("Z", b"")], CODES)
    with pytest.raises(UnsupportedVersionError, match="critical"):
        read(unknown)
    huge = write_stream(dataclasses.replace(HEADER, extent=(2**20, 2**20)), [], CODES)
    with pytest.raises(LimitError):
        read(huge)


def test_memory_is_taken_for_what_is_there() -> None:
    packed = pack_header(dataclasses.replace(HEADER, regions=2**32 - 1))
    data = packed + pack_chunk(Chunk("C", b"first"), packed[-4:], 0)
    tracemalloc.start()
    left = read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left.numbers == (0,)
    assert peak < 2**20


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 6), st.binary(max_size=6)),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 400),
)
@settings(deadline=None, max_examples=1500)
def test_edits_and_cuts(edits: list[tuple[int, int, bytes]], length: int) -> None:
    data = STREAM
    for place, removed, new in edits:
        start = STARTS[0] + place % (len(data) - STARTS[0] + 1)
        data = data[:start] + new + data[start + removed :]
    is_left(data[: STARTS[0] + length])
