"""A stream whose bytes come bit by bit: what `read_stream` reads and refuses, once it shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqcodec.bitstream import (
    Chunk,
    Header,
    Limits,
    StreamReader,
    StreamWriter,
    read_stream,
    write_stream,
)
from vqcodec.errors import (
    BadMagicError,
    ChecksumError,
    CorruptError,
    FormatError,
    LimitError,
    TruncatedError,
)

HEADER = Header(
    medium=1, extent=(9000,), channels=1, stages=2, prior=0, fingerprint=bytes(8), regions=3
)
SIDE = [Chunk("R", b"rate"), Chunk("t", bytes(200))]
CODES = [b"first", b"", bytes(300)]
DATA = write_stream(HEADER, SIDE, CODES)


def read_in(data: bytes, cuts: list[int]) -> StreamReader:
    """Push data in pieces, and close; every payload must be there."""
    reader, found, start = StreamReader(letters="Rt"), list[bytes](), 0
    for stop in [*sorted(cuts), len(data)]:
        found += reader.push(data[start:stop])
        start = stop
    reader.close()
    assert found == list(read_stream(data, letters="Rt").codes)
    return reader


@given(cuts=st.lists(st.integers(0, len(DATA)), max_size=20))
def test_any_pieces_give_what_the_whole_holds(cuts: list[int]) -> None:
    reader = read_in(DATA, cuts)
    assert reader.header == HEADER
    assert list(reader.side_chunks) == SIDE


def test_a_payload_comes_with_its_last_byte() -> None:
    reader = StreamReader(letters="Rt")
    counts = [len(reader.push(DATA[place : place + 1])) for place in range(len(DATA))]
    ends = [len(DATA) - 300 - 7 - 6, len(DATA) - 300 - 7, len(DATA)]
    assert [place + 1 for place, count in enumerate(counts) if count] == ends


def test_every_cut_and_every_flipped_bit() -> None:
    for length in range(len(DATA)):
        with pytest.raises(TruncatedError):
            read_in(DATA[:length], [length // 2])
    for place in range(len(DATA)):
        damaged = bytearray(DATA)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(FormatError):
            read_in(bytes(damaged), [place])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x89VQ?", BadMagicError),
        (DATA + b"C", CorruptError),
        (DATA[:-1] + bytes([DATA[-1] ^ 1]), ChecksumError),
    ],
)
def test_what_is_wrong_shows_at_once(data: bytes, error: type[FormatError]) -> None:
    reader = StreamReader(letters="Rt")
    for place in range(len(data) - 1):
        reader.push(data[place : place + 1])
    with pytest.raises(error):
        reader.push(data[-1:])


def test_limits_hold() -> None:
    with pytest.raises(LimitError):
        StreamReader(Limits(max_samples=8999), letters="Rt").push(DATA)
    with pytest.raises(LimitError):
        StreamReader(Limits(max_metadata_bytes=199), letters="Rt").push(DATA)


def test_a_writer_gives_the_stream_chunk_by_chunk() -> None:
    writer = StreamWriter(HEADER)
    assert writer.begin(SIDE) + b"".join(writer.add(code) for code in CODES) == DATA
