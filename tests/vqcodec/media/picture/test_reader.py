"""Picture files in: every colour mode, orientation and defect that the reader promises to know."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_files import exif_data, noise, saved
from PIL import Image

from vqcodec.errors import InputError, LimitError
from vqcodec.media.picture.reader import picture_from_pillow, read_picture

ICC = b"a colour profile" * 20
Pixels = NDArray[np.uint8]


def png(depth: int, colour: int, rows: bytes, size: tuple[int, int], *extra: bytes) -> bytes:
    """Write a PNG by hand, for the kinds that Pillow does not write. rows: filter bytes too."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    body = b"".join(chunk(part[:4], part[4:]) for part in extra)
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + body
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "BMP", "PPM", "JPEG2000", "QOI"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (13, 7)])
def test_colour_comes_through(format: str, height: int, width: int) -> None:
    pixels = noise(height, width, 3)
    options = {"lossless": True} if format == "WEBP" else {}
    data = saved(Image.fromarray(pixels), format, **options)
    np.testing.assert_array_equal(read_picture(data).pixels, pixels)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_grey_and_alpha_come_through(format: str, channels: int) -> None:
    pixels = noise(13, 7, channels)
    data = saved(Image.fromarray(pixels if channels > 1 else pixels[:, :, 0]), format)
    np.testing.assert_array_equal(read_picture(data).pixels, pixels)


def test_one_bit_becomes_black_and_white() -> None:
    bits = noise(9, 11) > 127
    picture = read_picture(saved(Image.fromarray(bits), "PNG"))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.where(bits, 255, 0))


def palette_image(indices: Pixels) -> tuple[Image.Image, Pixels]:
    colours = noise(256, 3, seed=1)
    image = Image.fromarray(indices, "L")
    image = image.convert("P")
    image.putdata(indices.ravel().tolist())
    image.putpalette(colours.ravel().tolist())
    return image, colours


@pytest.mark.parametrize("format", ["PNG", "GIF", "TIFF"])
def test_a_palette_becomes_its_colours(format: str) -> None:
    indices = noise(13, 7)
    image, colours = palette_image(indices)
    picture = read_picture(saved(image, format))
    np.testing.assert_array_equal(picture.pixels, colours[indices])


def test_a_palette_with_transparency_becomes_rgba() -> None:
    indices = noise(13, 7)
    image, colours = palette_image(indices)
    alphas = noise(256, seed=2)
    picture = read_picture(saved(image, "PNG", transparency=alphas.tobytes()))
    np.testing.assert_array_equal(picture.pixels[:, :, :3], colours[indices])
    np.testing.assert_array_equal(picture.pixels[:, :, 3], alphas[indices])


@pytest.mark.parametrize("channels", [1, 3])
def test_one_transparent_colour_becomes_alpha(channels: int) -> None:
    pixels = noise(13, 7, channels)
    colour = pixels[4, 5]
    image = Image.fromarray(pixels if channels > 1 else pixels[:, :, 0])
    mark = int(colour[0]) if channels == 1 else tuple(colour.tolist())
    picture = read_picture(saved(image, "PNG", transparency=mark))
    clear = (pixels == colour).all(axis=2)
    np.testing.assert_array_equal(picture.pixels[:, :, -1], np.where(clear, 0, 255))
    np.testing.assert_array_equal(picture.pixels[:, :, :channels][~clear], pixels[~clear])


def test_sixteen_bit_grey_keeps_all_bits() -> None:
    samples = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in samples)
    pgm = b"P5 256 256 65535\n" + samples.astype(">u2").tobytes()
    files = [png(16, 0, rows, (256, 256)), pgm]
    files += [saved(Image.fromarray(samples), format) for format in ("TIFF", "JPEG2000")]
    big_endian = Image.fromarray(samples.astype(">u2"))
    assert big_endian.mode == "I;16B"
    files.append(saved(big_endian, "TIFF"))
    for file in files:
        picture = read_picture(file)
        assert picture.pixels.dtype == np.uint16
        np.testing.assert_array_equal(picture.pixels[:, :, 0], samples)
    for mode in ("I;16", "I;16L", "I;16B"):
        image = Image.frombytes(
            mode, (256, 256), samples.astype(">u2" if mode[-1] == "B" else "<u2")
        )
        np.testing.assert_array_equal(picture_from_pillow(image).pixels[:, :, 0], samples)


def test_sixteen_bit_grey_keeps_its_transparent_value() -> None:
    rows = b"\x00" + struct.pack(">3H", 700, 701, 65535)
    picture = read_picture(png(16, 0, rows, (3, 1), b"tRNS" + struct.pack(">H", 700)))
    assert picture.pixels.tolist() == [[[700, 0], [701, 65535], [65535, 65535]]]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_grey_of_few_bits_keeps_its_transparent_value(depth: int) -> None:
    rows = b"".join(b"\x00" + bytes([byte]) for byte in range(256))
    size = (8 // depth, 256)
    for value in range(min(2**depth, 16)):
        data = png(depth, 0, rows, size, b"tRNS" + struct.pack(">H", value))
        bits = np.unpackbits(np.arange(256, dtype=np.uint8)).reshape(-1, depth)
        samples = (bits << np.arange(depth)[::-1]).sum(axis=1).reshape(256, -1)
        expected = np.stack(
            [samples * 255 // (2**depth - 1), np.where(samples == value, 0, 255)], axis=2
        )
        np.testing.assert_array_equal(read_picture(data).pixels, expected)
        with Image.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(picture_from_pillow(image).pixels, expected)


def test_sixteen_bit_colour_keeps_its_transparent_colour() -> None:
    samples = np.random.default_rng(3).integers(0, 65536, (5, 4, 3), dtype=np.uint16)
    # The same in the high bytes alone, and the same in all.
    samples[3, 1] = samples[2, 2] ^ 1
    samples[4, 0] = samples[2, 2]
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in samples)
    mark = struct.pack(">3H", *samples[2, 2].tolist())
    picture = read_picture(png(16, 2, rows, (4, 5), b"tRNS" + mark))
    clear = (samples == samples[2, 2]).all(axis=2)
    assert clear.sum() == 2
    np.testing.assert_array_equal(picture.pixels[:, :, :3], samples)
    np.testing.assert_array_equal(picture.pixels[:, :, 3], np.where(clear, 0, 65535))


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_sixteen_bit_colour_keeps_all_bits(colour: int, channels: int) -> None:
    samples = np.random.default_rng(3).integers(0, 65536, (5, 4, channels), dtype=np.uint16)
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in samples)
    file = png(16, colour, rows, (4, 5))
    np.testing.assert_array_equal(read_picture(file).pixels, samples)
    # Pillow's own image has lost the low bytes.
    with Image.open(io.BytesIO(file)) as image:
        found = picture_from_pillow(image).pixels
        np.testing.assert_array_equal(found[:, :, -channels:], samples >> 8)


def test_a_turned_picture_keeps_sixteen_bits() -> None:
    samples = np.random.default_rng(4).integers(0, 65536, (3, 7), dtype=np.uint16)
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in samples)
    picture = read_picture(png(16, 0, rows, (7, 3), b"eXIf" + exif_data(6)))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.rot90(samples, -1))


def test_cmyk_becomes_rgb_without_its_profile() -> None:
    inks = np.zeros((16, 32, 4), np.uint8)
    inks[:, 16:, 1:3] = 255
    data = saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=100, icc_profile=ICC)
    picture = read_picture(data)
    assert picture.icc is None
    assert np.abs(picture.pixels[:, :16].astype(int) - [255, 255, 255]).max() <= 3
    assert np.abs(picture.pixels[:, 16:].astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (Image.fromarray(np.zeros((4, 4), np.float32)), "floating-point"),
        (Image.fromarray(np.zeros((4, 4), np.int32)), "32-bit"),
        (Image.new("LAB", (4, 4)), "Lab"),
    ],
)
def test_samples_without_an_eight_bit_meaning_are_refused(image: Image.Image, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_picture(saved(image, "TIFF"))


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_several_frames_are_refused(format: str) -> None:
    frames = [Image.fromarray(noise(8, 8, 3, seed=seed)) for seed in range(3)]
    data = saved(frames[0], format, save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="3 pictures or frames"):
        read_picture(data)


def test_a_multi_picture_jpeg_gives_its_photograph() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = saved(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert np.abs(read_picture(data).pixels.astype(int) - [255, 0, 0]).max() <= 2


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_the_profile_is_kept(format: str) -> None:
    image = Image.fromarray(noise(9, 9, 3))
    assert read_picture(saved(image, format, icc_profile=ICC)).icc == ICC
    assert read_picture(saved(image, format)).icc is None


def test_heic_is_read_where_its_plug_in_is() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pixels = np.repeat(np.repeat(noise(5, 7, 3), 16, 0), 16, 1)
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer, quality=95)
    picture = read_picture(buffer.getvalue())
    assert np.abs(picture.pixels.astype(int) - pixels).mean() < 2
    with pytest.raises(LimitError, match="112 x 80 pixels"):
        read_picture(buffer.getvalue(), max_pixels=112 * 80 - 1)
    with pytest.raises(InputError):
        read_picture(buffer.getvalue()[:-100])


@pytest.mark.parametrize("kind", [str, Path, bytes, bytearray, memoryview])
def test_paths_and_bytes_are_read_by_content(kind: type, tmp_path: Path) -> None:
    pixels = noise(5, 6, 3)
    data = saved(Image.fromarray(pixels), "PNG")
    path = tmp_path / "lies.jpg"
    path.write_bytes(data)
    source = kind(path) if kind in (str, Path) else kind(data)
    np.testing.assert_array_equal(read_picture(source).pixels, pixels)


def test_paths_that_cannot_be_read_raise_oserror(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_picture(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "absent.png")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "^empty file$"),
        (b"hello, world", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\x89VQ\r\n\n\x01", "already a vqcodec file"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture|damaged"),
        (5, "path or bytes, got int"),
    ],
)
def test_what_is_no_picture_is_refused(data: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_picture(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF", "JPEG2000"])
def test_truncated_pictures_are_refused(format: str) -> None:
    data = saved(Image.fromarray(noise(64, 64, 3)), format)
    for size in (1, 4, 12, 30, len(data) // 4, len(data) // 2, len(data) * 3 // 4):
        with pytest.raises(InputError):
            read_picture(data[:size])


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "QOI"])
def test_damaged_pictures_give_pixels_or_a_named_error(format: str) -> None:
    image = Image.fromarray(noise(16, 16, 3))
    data = saved(image, format, **({"exif": exif_data(3)} if format != "GIF" else {}))
    random = np.random.default_rng(4)
    for _ in range(150):
        damaged = bytearray(data)
        for place in random.integers(0, min(len(data), 400), 3):
            damaged[place] = random.integers(0, 256)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                picture = read_picture(damaged, max_pixels=2**16)
        except (InputError, LimitError):
            continue
        assert picture.pixels.dtype == np.uint8
