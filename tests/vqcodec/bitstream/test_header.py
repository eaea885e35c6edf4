"""The header, byte by byte, against a second writer that follows docs/format.md."""

import dataclasses
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream.header import Header, pack_header, unpack_header
from vqcodec.bitstream.limits import Limits
from vqcodec.bitstream.varint import append_varint, read_varint
from vqcodec.errors import (
    BadMagicError,
    ChecksumError,
    CorruptError,
    FormatError,
    InputError,
    LimitError,
    TruncatedError,
    UnsupportedVersionError,
)

FINGERPRINT = bytes(range(0xA0, 0xA8))
UNLIMITED = Limits(max_samples=2**512)


def varint(value: int) -> bytes:
    groups = []
    while True:
        value, low = divmod(value, 128)
        groups.append(low)
        if not value:
            return bytes(0x80 | g for g in groups[:-1]) + bytes(groups[-1:])


def raw_header(
    *,
    version: int = 1,
    medium: int = 0x10,
    prior: int = 2,
    channels: bytes = varint(3),
    extent: bytes = varint(512) + varint(768),
    stages: int = 10,
    regions: bytes = varint(1),
) -> bytes:
    body = b"\x89VQ\r\n\n" + bytes([version, medium, prior]) + FINGERPRINT
    body += channels + extent + bytes([stages]) + regions
    return body + zlib.crc32(body).to_bytes(4, "little")


def headers() -> st.SearchStrategy[Header]:
    number = st.integers(1, 2**32 - 1)
    return st.builds(
        Header,
        medium=st.integers(0, 15),
        extent=st.lists(number, min_size=1, max_size=16).map(tuple),
        channels=st.integers(1, 256),
        stages=st.integers(1, 64),
        prior=st.integers(0, 3),
        fingerprint=st.binary(min_size=8, max_size=8),
        regions=number,
    )


PHOTO = Header(
    medium=0,
    extent=(512, 768),
    channels=3,
    stages=10,
    prior=2,
    fingerprint=FINGERPRINT,
    regions=1,
)


def test_header_has_the_documented_bytes() -> None:
    assert pack_header(PHOTO) == raw_header()
    assert unpack_header(raw_header() + b"rest") == (PHOTO, 28)


@pytest.mark.parametrize("axes", [1, 2, 3, 16])
def test_a_header_has_one_number_for_each_axis(axes: int) -> None:
    extent = tuple(range(1, 1 + axes))
    data = raw_header(medium=5 | axes - 1 << 4, extent=bytes(extent))
    header, _ = unpack_header(data, UNLIMITED)
    assert (header.medium, header.extent) == (5, extent)
    assert pack_header(header) == data


@given(headers())
@settings(deadline=None, max_examples=300)
def test_a_header_reads_back_as_written(header: Header) -> None:
    packed = pack_header(header)
    assert unpack_header(packed, UNLIMITED) == (header, len(packed))


def test_a_small_photo_costs_at_most_28_bytes() -> None:
    largest = dataclasses.replace(PHOTO, extent=(16383, 16383), channels=4, regions=127)
    assert len(pack_header(largest)) == 28


@pytest.mark.parametrize("size", range(28))
def test_every_truncation_is_named(size: int) -> None:
    with pytest.raises(TruncatedError):
        unpack_header(raw_header()[:size])


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(TruncatedError, match=r"^empty file$"):
        unpack_header(b"")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n", "looks like PNG"),
        (b"\xff\xd8\xff\xe0....", "looks like JPEG"),
        (b"RIFF....WEBPVP8 ", "looks like WebP"),
        (b"RIFF....WAVEfmt ", "looks like WAV"),
        (b"....ftypavif....", "looks like AVIF"),
        (b"PK\x03\x04....", "looks like a zip archive"),
        (b"hello, world", r"^not a vqcodec file$"),
        (b"\x00", r"^not a vqcodec file$"),
    ],
)
def test_another_format_is_named(data: bytes, says: str) -> None:
    with pytest.raises(BadMagicError, match=says):
        unpack_header(data)


def without_high_bits(data: bytes) -> bytes:
    return bytes(byte & 0x7F for byte in data)


@pytest.mark.parametrize(
    ("says", "damaged"),
    [
        ("7-bit", without_high_bits(raw_header())),
        ("to LF", raw_header().replace(b"\r\n", b"\n")),
        ("to CR LF", raw_header().replace(b"\n", b"\r\n")),
        ("to CR LF", raw_header().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
        ("to CR ", raw_header().replace(b"\r\n", b"\r").replace(b"\n", b"\r")),
        ("UTF-8", raw_header().decode("latin-1").encode()),
        ("UTF-8", raw_header().decode("utf-8", "replace").encode()),
        ("byte order mark", b"\xef\xbb\xbf" + raw_header()),
    ],
)
def test_text_mode_damage_is_named(says: str, damaged: bytes) -> None:
    with pytest.raises(BadMagicError, match=f"damaged in transfer.*{says}"):
        unpack_header(damaged)


@pytest.mark.parametrize("version", [2, 3, 127, 255])
def test_a_newer_version_is_refused(version: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=f"version {version} needs a newer vqcodec"):
        unpack_header(raw_header(version=version))


def test_version_zero_does_not_exist() -> None:
    with pytest.raises(CorruptError, match="version 0"):
        unpack_header(raw_header(version=0))


@pytest.mark.parametrize("prior", [4, 5, 255])
def test_an_unknown_prior_is_refused(prior: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=f"prior {prior}"):
        unpack_header(raw_header(prior=prior))


@pytest.mark.parametrize("stages", [0, 65, 0x81, 255])
def test_there_are_1_to_64_stages(stages: int) -> None:
    assert unpack_header(raw_header(stages=64))[0].stages == 64
    with pytest.raises(CorruptError, match=f"declares {stages} stages"):
        unpack_header(raw_header(stages=stages))


@pytest.mark.parametrize("channels", [0, 257, 2**32 - 1])
def test_there_are_1_to_256_channels(channels: int) -> None:
    assert unpack_header(raw_header(channels=varint(256)))[0].channels == 256
    with pytest.raises(CorruptError, match=f"declares {channels} channels"):
        unpack_header(raw_header(channels=varint(channels)))


def test_a_stream_of_open_length_is_for_those_who_ask_for_it() -> None:
    data = raw_header(regions=varint(0))
    with pytest.raises(UnsupportedVersionError, match="open length"):
        unpack_header(data)
    assert unpack_header(data, open_length=True)[0].regions == 0


@pytest.mark.parametrize("extent", [(0, 5), (5, 0), (0, 0)])
def test_an_empty_signal_is_refused(extent: tuple[int, int]) -> None:
    with pytest.raises(CorruptError, match="empty signal"):
        unpack_header(raw_header(extent=bytes(extent)))


def test_the_limit_counts_samples_exactly() -> None:
    data = raw_header(extent=varint(300) + varint(500))
    assert unpack_header(data, Limits(max_samples=150_000))[0].samples == 150_000
    with pytest.raises(LimitError, match="300 x 500 samples, more than the limit of 149999"):
        unpack_header(data, Limits(max_samples=149_999))


def test_the_default_limit_is_two_to_the_28() -> None:
    side = varint(2**14)
    assert unpack_header(raw_header(extent=side + side))[1] == 30
    for extent in (side + varint(2**14 + 1), varint(2**32 - 1) * 2):
        with pytest.raises(LimitError):
            unpack_header(raw_header(extent=extent))


def test_a_damaged_checksum_is_named() -> None:
    data = bytearray(raw_header())
    data[-1] ^= 1
    with pytest.raises(ChecksumError, match="header checksum does not match: the file is damaged"):
        unpack_header(bytes(data))


@pytest.mark.parametrize("bit", range(28 * 8))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    data = bytearray(raw_header())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FormatError):
        unpack_header(bytes(data) + bytes(64))


@pytest.mark.parametrize(
    "fields",
    [
        {"medium": 16},
        {"medium": -1},
        {"extent": ()},
        {"extent": (0, 1)},
        {"extent": (1, 2**32)},
        {"extent": (1,) * 17},
        {"channels": 0},
        {"channels": 257},
        {"prior": 4},
        {"stages": 0},
        {"stages": 65},
        {"regions": -1},
        {"regions": 2**32},
        {"fingerprint": bytes(7)},
    ],
)
def test_a_field_out_of_range_cannot_be_written(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="got"):
        dataclasses.replace(PHOTO, **fields)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_a_varint_has_one_spelling(value: int) -> None:
    out = bytearray()
    append_varint(out, value)
    assert bytes(out) == varint(value)
    assert read_varint(bytes(out) + b"\x7f", 0, "x") == (value, len(out))


@given(st.binary(min_size=1, max_size=7))
@settings(deadline=None, max_examples=500)
def test_bytes_that_read_as_a_varint_are_its_spelling(data: bytes) -> None:
    try:
        value, end = read_varint(data, 0, "x")
    except (CorruptError, TruncatedError):
        return
    assert varint(value) == data[:end]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", TruncatedError),
        (b"\x80", TruncatedError),
        (b"\xff\xff\xff\xff", TruncatedError),
        (b"\x80\x00", CorruptError),
        (b"\xff\x80\x00", CorruptError),
        (b"\xff\xff\xff\xff\x10", CorruptError),
        (b"\xff\xff\xff\xff\xff\x01", CorruptError),
    ],
)
def test_a_bad_varint_is_named(data: bytes, error: type[FormatError]) -> None:
    with pytest.raises(error):
        read_varint(data, 0, "x")


@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_varint_has_32_bits(value: int) -> None:
    with pytest.raises(InputError):
        append_varint(bytearray(), value)
