"""Pictures of more than eight bits: files, the range of samples, eight bits and back."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_files import exif_data

import vqcodec
from vqcodec import Codec, Picture, PictureRows
from vqcodec.bitstream import Chunk, Limits, write_stream
from vqcodec.decoded_file import decode_file
from vqcodec.errors import CorruptError, InputError, UnsupportedVersionError
from vqcodec.media.picture import large
from vqcodec.media.picture.crops import read_rgb
from vqcodec.media.picture.data_range import DataRange
from vqcodec.media.picture.hidden import fill_hidden
from vqcodec.media.picture.medium import MEDIUM
from vqcodec.media.picture.reader import read_picture
from vqcodec.media.picture.samples import samples_of
from vqcodec.media.picture.workshop import WORKSHOP
from vqcodec.media.picture.writer import write_picture
from vqcodec.media.registry import read_any_stream
from vqcodec.stream_info import inspect

Pixels = NDArray[Any]

ICC = b"\0" * 16 + b"RGB " + b"profile" * 40


def deep(photo: Pixels, bits: int, channels: int = 3) -> Pixels:
    """A photograph in so many bits, about a black level, all bits in use: uint16."""
    fine = np.random.default_rng(bits).integers(0, 256, photo.shape)
    black, white = 2**bits // 20, 2**bits - 1 - 2**bits // 50
    shares = (photo.astype(float) * 256 + fine) / 65535
    pixels = np.rint(black + shares * (white - black)).astype(np.uint16)
    if channels in (2, 4):
        rows, columns = np.mgrid[: photo.shape[0], : photo.shape[1]]
        alpha = np.clip(rows * 900 + columns * 100 - 9000, 0, 65535).astype(np.uint16)
        colours = pixels[:, :, : channels - 1]
        return np.concatenate([colours, alpha[:, :, None]], axis=2)
    return np.ascontiguousarray(pixels[:, :, :channels])


def error_of(decoded: Pixels, original: Pixels, width: float) -> float:
    """Root of the mean squared error, as a share of a width."""
    return float(np.sqrt(np.mean((decoded.astype(float) - original) ** 2)) / width)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_come_back_where_they_are_asked_for(
    codec: Codec, photo: Pixels, bits: int, channels: int
) -> None:
    pixels = deep(photo, bits, channels)
    low, high = int(pixels.min()), int(pixels.max())
    data = codec.encode(pixels, quality=100)
    back = codec.decode(data, bits=16).reshape(pixels.shape)
    assert back.dtype == np.uint16
    assert low <= back.min() <= back.max() <= high
    # As near as the same picture comes in eight bits, in shares of what there is to see.
    eight = Picture(pixels).in_eight_bits().pixels
    near = codec.decode(codec.encode(eight, quality=100)).reshape(pixels.shape)
    assert error_of(back, pixels, high - low) < 1.02 * error_of(near, eight, 255) + 1e-4
    assert len(np.unique(back)) > 260


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_eight_bits_show_the_range_that_is_there(codec: Codec, photo: Pixels, bits: int) -> None:
    pixels = deep(photo, bits)
    low, high = int(pixels.min()), int(pixels.max())
    data = codec.encode(pixels, quality=100)
    shown, back = codec.decode(data), codec.decode(data, bits=16)
    assert shown.dtype == np.uint8
    exact = (back.astype(float) - low) * 255 / (high - low)
    assert np.abs(shown - exact).max() <= 0.5 + 255 / (high - low)
    assert shown.min() < 20
    assert shown.max() > 235


def test_the_picture_says_its_range() -> None:
    pixels = np.array(
        [
            [
                [700],
                [
                    3,
                ][:1],
                [4095],
            ]
        ],
        np.uint16,
    )
    assert Picture(pixels).data_range == DataRange(3, 4095)
    assert Picture(pixels.astype(np.uint8)).data_range == DataRange(0, 255, 8)
    # What nobody sees does not count; where nothing is seen, nothing does.
    hidden = np.array([[[700, 65535], [9, 128], [65535, 0], [800, 129]]], np.uint16)
    assert Picture(hidden).data_range == DataRange(700, 800)
    hidden[:, :, 1] = 128
    assert Picture(hidden).data_range == DataRange(0, 0)


def test_a_picture_of_one_value_comes_back_exactly(codec: Codec) -> None:
    for value in (0, 4095, 65535):
        data = codec.encode(np.full((9, 17), value, np.uint16))
        np.testing.assert_array_equal(codec.decode(data, bits=16), value)
        assert codec.decode(data).dtype == np.uint8


def test_samples_fill_zero_to_one(photo: Pixels) -> None:
    pixels = deep(photo, 12)
    samples = samples_of(pixels, 3, Picture(pixels).data_range)
    low, high = int(pixels.min()), int(pixels.max())
    exact = (pixels.astype(float) - low) / (high - low)
    np.testing.assert_allclose(np.moveaxis(samples, 0, -1), exact, rtol=0, atol=1e-7)
    assert (samples.min(), samples.max()) == (0, 1)
    # The mean of three colours, rounded, for a model of grey.
    mean = (pixels.astype(int).sum(axis=2) * 2 + 3) // 6
    grey = samples_of(pixels, 1, Picture(pixels).data_range)
    np.testing.assert_allclose(grey[0], (mean - low) / (high - low), rtol=0, atol=1e-7)


def test_colours_flow_under_alpha_in_sixteen_bits() -> None:
    row = np.array([[[60000, 65535], [7, 0], [65535, 0]]], np.uint16)
    assert fill_hidden(row)[0, :, 0].tolist() == [60000, 60000, 60000]
    unseen = np.zeros((2, 3, 2), np.uint16)
    assert samples_of(unseen, 1, DataRange(500, 900)).tolist() == np.zeros((1, 2, 3)).tolist()


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_kept_in_eight_bits(codec: Codec, photo: Pixels, channels: int) -> None:
    pixels = deep(photo, 16, channels)
    data = codec.encode(pixels, quality=60)
    rounded = np.floor(pixels[:, :, -1] / 257 + 0.5)
    np.testing.assert_array_equal(codec.decode(data)[:, :, -1], rounded)
    np.testing.assert_array_equal(codec.decode(data, bits=16)[:, :, -1], rounded * 257)


def test_what_was_eight_bits_fills_sixteen(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(photo, quality=80)
    fine, coarse = codec.decode(data, bits=16), codec.decode(data)
    assert np.abs(fine / 257 - coarse).max() <= 0.501
    np.testing.assert_array_equal(codec.decode(data, bits=8), coarse)


@pytest.mark.parametrize("bits", [0, 12, 16.5, "16", True])
def test_other_bits_are_refused(codec: Codec, photo: Pixels, bits: Any) -> None:
    data = codec.encode(photo, quality=0)
    with pytest.raises(InputError, match="8 or 16 bits a sample"):
        codec.decode(data, bits=bits)


def test_parts_and_fractions_have_sixteen_bits(codec: Codec, photo: Pixels) -> None:
    pixels = deep(photo, 12, 4)
    data = codec.encode(pixels)
    whole, place = codec.decode(data, bits=16), (slice(8, 72), slice(40, 121))
    np.testing.assert_array_equal(codec.decode(data, region=place, bits=16), whole[place])
    half = codec.decode(data, scale=1 / 2, bits=16)
    assert half.shape == (75, 102, 4)
    assert half[:, :, -1].max() == 65535


def test_decibels_are_of_the_range(codec: Codec, photo: Pixels) -> None:
    pixels = deep(photo, 12)
    low, high = int(pixels.min()), int(pixels.max())
    best = codec.encode(pixels, quality=100)
    found = MEDIUM.decibels(codec.decode_signal(best, bits=16), Picture(pixels))
    share = error_of(codec.decode(best, bits=16), pixels, high - low)
    assert found == pytest.approx(-20 * np.log10(share), abs=1e-6)
    data = codec.encode(pixels, psnr=found - 1)
    assert len(data) <= len(best)
    reached = MEDIUM.decibels(codec.decode_signal(data, bits=16), Picture(pixels))
    assert found - 1 <= reached
    with pytest.raises(InputError, match="8 and 16 bits do not compare: decode with bits=16"):
        MEDIUM.decibels(codec.decode_signal(data), Picture(pixels))


def test_large_differences_do_not_overflow() -> None:
    black, white = np.zeros((40, 50, 3), np.uint16), np.full((40, 50, 3), 65535, np.uint16)
    white[0, 0] = 0
    assert MEDIUM.decibels(Picture(black), Picture(white)) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("format", ["png", "tiff"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("exif", [None, exif_data(1), exif_data(1, order=">")])
def test_files_keep_sixteen_bits(format: str, channels: int, exif: bytes | None) -> None:
    rng = np.random.default_rng(channels)
    pixels = rng.integers(0, 65536, (13, 57, channels), dtype=np.uint16)
    icc = ICC if channels >= 3 else None
    file = write_picture(Picture(pixels, icc=icc, exif=exif), format=format)
    if (format, channels) == ("tiff", 2):
        # Pillow knows no TIFF of grey and alpha in sixteen bits.
        with pytest.raises(InputError):
            read_picture(file)
        return
    again = read_picture(file)
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.icc == icc
    if format == "png":
        assert again.exif == exif


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif", "bmp"])
def test_formats_of_eight_bits_say_so(format: str) -> None:
    with pytest.raises(InputError, match=f"{format} is written with eight bits, not 16: write PNG"):
        write_picture(Picture(np.zeros((4, 5, 3), np.uint16)), format=format)


def test_a_format_of_eight_bits_is_refused_before_decoding(
    codec: Codec, photo: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = codec.encode(photo, quality=0)
    monkeypatch.setattr("vqcodec.decoded_file.recent_codec", lambda *_, **__: codec)
    monkeypatch.setattr(codec, "decode_signal", None)
    with pytest.raises(InputError, match="write PNG or TIFF"):
        decode_file(data, tmp_path / "out.jpg", bits=16)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_rows_are_written_in_sixteen_bits(
    codec: Codec, photo: Pixels, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqcodec.decoded_file.recent_codec", lambda *_, **__: codec)
    data = codec.encode(deep(photo, 12), quality=70)
    wanted = codec.decode(data, bits=16)
    decode_file(data, tmp_path / f"whole{suffix}", bits=16)
    monkeypatch.setattr(large, "_LARGE_PIXELS", 99)
    monkeypatch.setattr(MEDIUM, "from_samples", None)
    decode_file(data, tmp_path / f"rows{suffix}", bits=16)
    for name in ("whole", "rows"):
        file = tmp_path / f"{name}{suffix}"
        np.testing.assert_array_equal(read_picture(file).pixels, wanted)


def test_rows_of_sixteen_bits_are_refused_with_what_to_do(codec: Codec) -> None:
    rows = np.zeros((16, 24, 3), np.uint16)
    with pytest.raises(InputError, match=r"uint16 .*: sixteen bits need a Picture.*memmap"):
        codec.encode(PictureRows(rows, extent=(16, 24)))


def test_a_memory_map_is_read_where_it_is(codec: Codec, photo: Pixels, tmp_path: Path) -> None:
    pixels = deep(photo, 12)
    pixels.tofile(tmp_path / "raw")
    mapped = np.memmap(tmp_path / "raw", np.uint16, mode="r", shape=pixels.shape)
    assert np.shares_memory(Picture(mapped).pixels, mapped)
    assert codec.encode(mapped, quality=20) == codec.encode(pixels, quality=20)


def test_info_says_the_range(codec: Codec, photo: Pixels) -> None:
    pixels = deep(photo, 12, 1)
    facts = inspect(codec.encode(pixels)).facts
    said = {name: facts[name] for name in ("bits", "lowest", "highest")}
    assert said == {"bits": 16, "lowest": pixels.min(), "highest": pixels.max()}
    assert "bits" not in inspect(codec.encode(photo)).facts


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x10\0\0\0", b"\x10\0\0\0\0\0", b"\x0c\0\0\xff\x0f", b"\x10\x01\0\0\0"],
    ids=["empty", "short", "long", "other bits", "upside down"],
)
def test_a_wrong_range_is_refused(codec: Codec, photo: Pixels, payload: bytes) -> None:
    _, stream = read_any_stream(codec.encode(deep(photo, 12), quality=0))
    kept = [chunk for chunk in stream.side_chunks if chunk.type != "R"]
    made = write_stream(stream.header, [*kept, Chunk("R", payload)], stream.codes)
    for judge in (inspect, codec.decode):
        with pytest.raises(CorruptError, match="range chunk"):
            judge(made)


def test_an_older_reader_refuses_sixteen_bits_by_name(
    codec: Codec, photo: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = codec.encode(deep(photo, 12), quality=0)
    monkeypatch.setattr(MEDIUM, "letters", MEDIUM.letters - {"R"})
    with pytest.raises(UnsupportedVersionError, match="critical type 'R' needs a newer"):
        codec.decode(data)


def test_the_range_is_kept_without_facts(codec: Codec, photo: Pixels) -> None:
    signal = Picture(deep(photo, 12), icc=ICC)
    bare = read_any_stream(codec.encode(signal, facts=False))[1]
    assert [chunk.type for chunk in bare.side_chunks] == ["R"]


def test_training_and_evaluation_see_eight_bits(photo: Pixels, tmp_path: Path) -> None:
    pixels = deep(photo, 12)
    file = tmp_path / "deep.png"
    file.write_bytes(write_picture(Picture(pixels)))
    seen = read_rgb(file)
    assert seen.dtype == np.uint8
    assert (seen.min(), seen.max()) == (0, 255)
    np.testing.assert_array_equal(WORKSHOP.read(file.read_bytes()).pixels, seen)


def test_the_range_of_the_whole_holds_for_every_region(regions_codec: Codec, photo: Pixels) -> None:
    """A region that is darker than the others is not lit up on its own."""
    pixels = deep(photo, 12)
    pixels[:104] //= 8
    data = regions_codec.encode(pixels, quality=100)
    back = regions_codec.decode(data, bits=16)
    assert back[:90].mean() == pytest.approx(pixels[:90].mean(), rel=0.1)
    assert back[120:].mean() == pytest.approx(pixels[120:].mean(), rel=0.1)


def test_decode_offers_bits(codec: Codec, photo: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vqcodec.recent.recent_codec", lambda *_, **__: codec)
    data = codec.encode(deep(photo, 10), quality=10)
    assert vqcodec.decode(data, bits=16).dtype == np.uint16
    assert vqcodec.decode(data).dtype == np.uint8


def test_sizes_are_limited_before_pixels_are_read() -> None:
    file = write_picture(Picture(np.zeros((9, 9, 3), np.uint16)))
    with pytest.raises(vqcodec.LimitError):
        MEDIUM.read(file, Limits(max_samples=80))


def test_a_cut_file_is_named_as_damaged() -> None:
    rng = np.random.default_rng(1)
    for channels in (2, 3, 4):
        pixels = rng.integers(0, 65536, (60, 57, channels), dtype=np.uint16)
        file = write_picture(Picture(pixels))
        with pytest.raises(InputError, match="damaged or cut off"):
            read_picture(file[: len(file) // 2])


def test_the_stream_is_as_documented(codec: Codec) -> None:
    pixels = np.array([[[300], [5]], [[70], [0x1234]]], np.uint16)
    _, stream = read_any_stream(codec.encode(pixels))
    assert stream.side_chunks == (Chunk("R", bytes.fromhex("10 05 00 34 12")),)
    assert dataclasses.asdict(Picture(pixels).data_range) == {
        "lowest": 5,
        "highest": 0x1234,
        "bits": 16,
    }
