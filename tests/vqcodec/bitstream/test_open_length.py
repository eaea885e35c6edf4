"""Streams of open length: whole, cut, damaged and hostile."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream import (
    Chunk,
    FileBytes,
    Header,
    OpenStream,
    OpenWriter,
    PartialStream,
    open_stream,
    read_stream,
    whole_stream,
)
from vqcodec.errors import (
    ChecksumError,
    CorruptError,
    FormatError,
    InputError,
    TruncatedError,
    UnsupportedVersionError,
)

HEADER = Header(
    medium=2, extent=(48, 64), channels=3, stages=6, prior=2, fingerprint=bytes(8), regions=0
)
PARTS = [(b"first", 30), (b"second" * 40, 500), (b"", 1)]


def written() -> tuple[bytes, list[int]]:
    """A stream, and where each of its chunks ends."""
    writer = OpenWriter(HEADER)
    data, ends = writer.begin([Chunk("F", b"facts")]), []
    for payload, amount in PARTS:
        data += writer.add(payload, amount)
        ends.append(len(data))
    return data + writer.end(), ends


def opened(data: bytes, *, partial: bool = False) -> OpenStream:
    return open_stream(data, letters="F", partial=partial)


def test_regions_are_read_by_the_index_alone() -> None:
    data, _ = written()
    for source in (data, FileBytes(io.BytesIO(data))):
        stream = open_stream(source, letters="F")
        assert stream.amounts == (30, 500, 1)
        assert stream.is_whole
        assert len(stream) == 3
        assert [stream.codes_of(number) for number in (2, 0, 1)] == [b"", b"first", PARTS[1][0]]
    assert whole_stream(opened(data)).codes == tuple(payload for payload, _ in PARTS)


def test_every_cut_is_refused_and_gives_its_whole_regions() -> None:
    data, ends = written()
    for length in range(len(data)):
        with pytest.raises(FormatError):
            opened(data[:length])
        there = sum(length >= end for end in ends)
        if there:
            stream = whole_stream(opened(data[:length], partial=True), partial=True)
            assert isinstance(stream, PartialStream)
            assert stream.numbers == tuple(range(there))
        else:
            with pytest.raises(TruncatedError):
                opened(data[:length], partial=True)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_every_changed_byte_is_noticed(data: st.DataObject) -> None:
    stream, _ = written()
    place = data.draw(st.integers(0, len(stream) - 1))
    changed = bytearray(stream)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FormatError):
        whole_stream(opened(bytes(changed)))


def test_a_damaged_region_is_passed_over() -> None:
    data, ends = written()
    changed = bytearray(data)
    changed[ends[0] + 20] ^= 1
    with pytest.raises(ChecksumError, match="code chunk 1"):
        whole_stream(opened(bytes(changed)))
    left = whole_stream(opened(bytes(changed), partial=True), partial=True)
    assert isinstance(left, PartialStream)
    assert left.numbers == (0, 2)


def test_regions_cannot_be_swapped() -> None:
    data, ends = written()
    swapped = data[: ends[0]] + data[ends[1] : ends[2]] + data[ends[0] : ends[1]] + data[ends[2] :]
    with pytest.raises(FormatError):
        whole_stream(opened(swapped))


def test_what_is_of_known_length_is_another_thing() -> None:
    data, _ = written()
    with pytest.raises(UnsupportedVersionError, match="open length"):
        read_stream(data, letters="F")
    with pytest.raises(InputError, match="0 regions"):
        OpenWriter(Header(**{**HEADER.__dict__, "regions": 1}))
    writer = OpenWriter(HEADER)
    writer.begin([])
    with pytest.raises(InputError, match="one region"):
        writer.end()


def test_bytes_behind_the_end_are_refused() -> None:
    data, _ = written()
    with pytest.raises((TruncatedError, CorruptError)):
        opened(data + b"\x00")
