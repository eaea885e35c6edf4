"""Damage that keeps every checksum right: a stream parses cleanly or fails by a named error.

Plain fuzzing stops at the first checksum; these cases repair the checksums after each edit and so
reach every check behind them.
"""

import math
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream import Chunk, Header, Limits, write_stream
from vqcodec.bitstream.header import pack_header
from vqcodec.errors import FormatError
from vqcodec.media.registry import read_any_stream
from vqcodec.stream_info import inspect

LIMITS = Limits(max_samples=2**24, max_metadata_bytes=2**16, max_side_chunks=16)

HEADER = Header(
    medium=0,
    extent=(40, 1100),
    channels=4,
    stages=12,
    prior=2,
    fingerprint=bytes(range(8)),
    regions=2,
)
SIDE = [
    Chunk("i", zlib.compress(b"profile" * 20)),
    Chunk("e", zlib.compress(b"exif" * 9)),
    Chunk("A", b"\x00\x80"),
    Chunk("z", b"later"),
]
STREAM = write_stream(HEADER, SIDE, [b"left" * 9, b"right" * 40])
HEADER_BYTES = len(pack_header(HEADER))


def repair(header: bytes, chunks: list[tuple[int, bytes, bytes]]) -> bytes:
    """Join a header without checksum and (type, length field, payload) into a checked stream."""
    checksum = zlib.crc32(header).to_bytes(4, "little")
    out, region = header + checksum, 0
    for letter, length, payload in chunks:
        body = bytes([letter]) + length + payload
        place = checksum + (region if letter == ord("C") else 0).to_bytes(4, "little")
        out += body + zlib.crc32(place + body).to_bytes(4, "little")
        region += letter == ord("C")
    return out


def varint(value: int) -> bytes:
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    return bytes(0x80 | g for g in groups[:-1]) + bytes(groups[-1:])


def parts(stream: bytes) -> tuple[bytes, list[tuple[int, bytes, bytes]]]:
    _, read = read_any_stream(stream)
    chunks = [*read.side_chunks, *(Chunk("C", code) for code in read.codes)]
    listed = [(ord(c.type), varint(len(c.payload)), c.payload) for c in chunks]
    return stream[: HEADER_BYTES - 4], listed


def is_clean(data: bytes) -> bool:
    """Whether a stream parses; any other outcome than that or a FormatError fails the test."""
    failure = None
    try:
        info = inspect(data, LIMITS)
    except FormatError as error:
        failure = error
    if failure is not None:
        assert str(failure).isprintable()
        return False
    assert math.prod(info.extent.values()) <= LIMITS.max_samples
    assert info.file_bytes == len(data)
    return True


def edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Replace slices of the data; places wrap around, so that every edit lands."""
    for place, length, new in edits:
        start = place % (len(data) + 1)
        data = data[:start] + new + data[start + length :]
    return data


EDITS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 6), st.binary(max_size=6)), min_size=1, max_size=4
)
CHUNK = st.tuples(
    st.sampled_from(b"CCAieznZ\x00\xff"),
    st.none() | st.integers(0, 2**32 - 1).map(varint) | st.binary(min_size=1, max_size=6),
    st.binary(max_size=40) | st.binary(max_size=60).map(zlib.compress),
)


def test_repair_itself_is_right() -> None:
    assert repair(*parts(STREAM)) == STREAM
    assert is_clean(STREAM)


@given(EDITS)
@settings(deadline=None, max_examples=1500)
def test_edited_headers(edits: list[tuple[int, int, bytes]]) -> None:
    header, chunks = parts(STREAM)
    is_clean(repair(edited(header, edits), chunks))


@given(
    st.sampled_from((0x10, 0x00, 0x20, 0x11, 0xF0)) | st.integers(0, 255),
    st.integers(0, 3) | st.integers(0, 255),
    st.lists(st.integers(0, 3) | st.integers(0, 2**32 - 1), min_size=2, max_size=19),
    st.integers(0, 255),
)
@settings(deadline=None, max_examples=1000)
def test_headers_of_any_fields(medium: int, prior: int, numbers: list[int], stages: int) -> None:
    *most, regions = numbers
    body = b"\x89VQ\r\n\n\x01" + bytes([medium, prior]) + bytes(8)
    body += b"".join(map(varint, most)) + bytes([stages]) + varint(regions)
    is_clean(repair(body, [(ord("C"), b"\x01", b"x")]))


@given(st.lists(CHUNK, max_size=6), st.booleans())
@settings(deadline=None, max_examples=1500)
def test_chunks_of_any_kind_and_order(
    chunks: list[tuple[int, bytes | None, bytes]], keep: bool
) -> None:
    header, own = parts(STREAM)
    made = [(t, varint(len(p)) if n is None else n, p) for t, n, p in chunks]
    data = repair(header, made + own if keep else made)
    if is_clean(data):
        codes = [payload for letter, _, payload in made + own if letter == ord("C")]
        assert read_any_stream(data, LIMITS)[1].codes == tuple(codes[:2])


@given(st.integers(0, 5), EDITS)
@settings(deadline=None, max_examples=1000)
def test_edited_payloads(which: int, edits: list[tuple[int, int, bytes]]) -> None:
    header, chunks = parts(STREAM)
    letter, _, payload = chunks[which]
    payload = edited(payload, edits)
    chunks[which] = (letter, varint(len(payload)), payload)
    clean = is_clean(repair(header, chunks))
    # Alpha and facts are inflated to be told; what codes mean is seen where they are decoded.
    assert clean or chr(letter) in "Aie"


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=500)
def test_random_bytes_behind_a_good_header(tail: bytes) -> None:
    assert not is_clean(STREAM[:HEADER_BYTES] + tail)
