"""The header, byte by byte, against a second writer that follows docs/format.md."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream.header import Header, pack_header, unpack_header
from vqcodec.bitstream.limits import Limits
from vqcodec.bitstream.tiles import TILE_SIDE, Tile, count_tiles, iterate_tiles
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
UNLIMITED = Limits(max_pixels=2**64)


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
    layout: int = 0b0010_1000,
    width: bytes = varint(768),
    height: bytes = varint(512),
    levels: bytes = bytes([9]),
) -> bytes:
    body = b"\x89VQ\r\n\n" + bytes([version, layout]) + FINGERPRINT + width + height + levels
    return body + zlib.crc32(body).to_bytes(4, "little")


def headers() -> st.SearchStrategy[Header]:
    side = st.integers(1, 2**32 - 1)
    return st.builds(
        Header,
        width=side,
        height=side,
        channels=st.integers(1, 4),
        stages=st.lists(st.integers(1, 64), min_size=1, max_size=8).map(tuple),
        prior_mode=st.integers(0, 2),
        fingerprint=st.binary(min_size=8, max_size=8),
    )


def test_header_has_the_documented_bytes() -> None:
    header = Header(
        width=768, height=512, channels=3, stages=(10,), prior_mode=2, fingerprint=FINGERPRINT
    )
    assert pack_header(header) == raw_header()
    assert unpack_header(raw_header() + b"rest") == (header, 25)


def test_levels_have_the_documented_bytes() -> None:
    header, _ = unpack_header(raw_header(levels=bytes([0x80 | 2, 0x80 | 0, 63])))
    assert header.stages == (3, 1, 64)


@given(headers())
@settings(deadline=None, max_examples=300)
def test_a_header_reads_back_as_written(header: Header) -> None:
    packed = pack_header(header)
    assert unpack_header(packed, UNLIMITED) == (header, len(packed))


def test_a_small_photo_costs_at_most_25_bytes() -> None:
    header = Header(
        width=16383, height=16383, channels=4, stages=(12,), prior_mode=2, fingerprint=FINGERPRINT
    )
    assert len(pack_header(header)) == 25


@pytest.mark.parametrize("size", range(25))
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


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_a_reserved_kind_is_refused(kind: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=f"kind {kind}"):
        unpack_header(raw_header(layout=0b0010_1000 | kind))


@pytest.mark.parametrize("mode", range(5, 8))
def test_a_reserved_prior_is_refused(mode: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=f"prior mode {mode}"):
        unpack_header(raw_header(layout=0b0000_1000 | mode << 4))


@pytest.mark.parametrize(
    "fields", [{"layout": 0b1010_1000}, {"levels": bytes([0x49])}, {"levels": bytes([0xC9, 0])}]
)
def test_reserved_bits_must_be_zero(fields: dict[str, int]) -> None:
    with pytest.raises(CorruptError, match="must be zero"):
        unpack_header(raw_header(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("side", ["width", "height"])
def test_an_empty_picture_is_refused(side: str) -> None:
    with pytest.raises(CorruptError, match="empty picture"):
        unpack_header(raw_header(**{side: varint(0)}))  # type: ignore[arg-type]


def test_more_than_eight_levels_are_refused() -> None:
    assert unpack_header(raw_header(levels=bytes([0x80] * 7 + [0])))[0].stages == (1,) * 8
    with pytest.raises(CorruptError, match="more than 8 levels"):
        unpack_header(raw_header(levels=bytes([0x80] * 8 + [0])))


def test_the_limit_counts_pixels_exactly() -> None:
    data = raw_header(width=varint(500), height=varint(300))
    assert unpack_header(data, Limits(max_pixels=150_000))[0].width == 500
    with pytest.raises(LimitError, match="500 x 300 pixels, more than the limit of 149999"):
        unpack_header(data, Limits(max_pixels=149_999))


def test_the_default_limit_is_two_to_the_28() -> None:
    assert unpack_header(raw_header(width=varint(2**14), height=varint(2**14)))[1] == 27
    with pytest.raises(LimitError):
        unpack_header(raw_header(width=varint(2**14), height=varint(2**14 + 1)))
    with pytest.raises(LimitError):
        unpack_header(raw_header(width=varint(2**32 - 1), height=varint(2**32 - 1)))


def test_a_damaged_checksum_is_named() -> None:
    data = bytearray(raw_header())
    data[-1] ^= 1
    with pytest.raises(ChecksumError, match="header checksum does not match: the file is damaged"):
        unpack_header(bytes(data))


@pytest.mark.parametrize("bit", range(25 * 8))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    data = bytearray(raw_header())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FormatError):
        unpack_header(bytes(data) + bytes(64))


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 0},
        {"height": 2**32},
        {"channels": 5},
        {"channels": 0},
        {"kind": 1},
        {"prior_mode": 3},
        {"stages": ()},
        {"stages": (1,) * 9},
        {"stages": (65,)},
        {"stages": (3, 0)},
        {"fingerprint": bytes(7)},
    ],
)
def test_a_field_out_of_range_cannot_be_written(fields: dict[str, object]) -> None:
    good: dict[str, object] = {
        "width": 1,
        "height": 1,
        "channels": 1,
        "stages": (1,),
        "prior_mode": 0,
        "fingerprint": FINGERPRINT,
    }
    with pytest.raises(InputError, match="got"):
        Header(**(good | fields))  # type: ignore[arg-type]


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


@pytest.mark.parametrize(
    ("width", "height", "sizes"),
    [
        (1, 1, [(0, 0, 1, 1)]),
        (1024, 1024, [(0, 0, 1024, 1024)]),
        (1100, 40, [(0, 0, 40, 1024), (0, 1024, 40, 76)]),
        (
            1025,
            2047,
            [(0, 0, 1024, 1024), (0, 1024, 1024, 1), (1024, 0, 1023, 1024), (1024, 1024, 1023, 1)],
        ),
    ],
)
def test_tiles_cover_row_by_row(width: int, height: int, sizes: list[tuple[int, ...]]) -> None:
    assert list(iterate_tiles(width, height)) == [Tile(*size) for size in sizes]
    assert count_tiles(width, height) == len(sizes)


@given(st.integers(1, 5000), st.integers(1, 5000))
@settings(deadline=None)
def test_tiles_cover_every_pixel_once(width: int, height: int) -> None:
    tiles = list(iterate_tiles(width, height))
    assert len(tiles) == count_tiles(width, height)
    assert sum(tile.width * tile.height for tile in tiles) == width * height
    assert all(0 < tile.width <= TILE_SIDE and 0 < tile.height <= TILE_SIDE for tile in tiles)
    assert all(tile.grid(8) == (-(-tile.height // 8), -(-tile.width // 8)) for tile in tiles)
