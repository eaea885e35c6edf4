"""Picture files out: exact pixels where a format is lossless, metadata, and what is refused."""

import io
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from vqcodec.errors import InputError, LimitError, MissingDependencyError
from vqcodec.media.picture.jxl import jxl_size
from vqcodec.media.picture.reader import read_picture
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.suffixes import FORMATS, looks_like_picture
from vqcodec.media.picture.writer import write_picture

ICC = b"a colour profile" * 20
# One tag, an orientation of 1.
EXIF = (
    b"II*\x00\x08\x00\x00\x00\x01\x00" + b"\x12\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00"
) + bytes(4)

WITHOUT_ORIENTATION = EXIF[:8] + bytes(len(EXIF) - 8)


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(9).integers(0, 256, shape, dtype=np.uint8)


def need(format: str) -> None:
    if format == "jxl":
        pytest.importorskip("pillow_jxl")


def as_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels if pixels.shape[2] > 2 else np.concatenate([pixels[:, :, :1]] * 2 + [pixels], 2)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("format", ["png", "tiff", "webp", "bmp", "jxl"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (13, 7)])
def test_lossless_formats_give_the_pixels_back(
    channels: int, format: str, height: int, width: int
) -> None:
    if format == "bmp" and channels in (2, 4):
        pytest.skip("BMP has no alpha channel")
    need(format)
    pixels = noise(height, width, channels)
    again = read_picture(write_picture(Picture(pixels), format=format, quality=100)).pixels
    # WebP knows no grey; it also drops alpha that is opaque everywhere, which noise is not.
    expected = as_rgb(pixels) if format == "webp" else pixels
    np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif", "jxl"])
def test_quality_trades_bytes_for_error(format: str) -> None:
    need(format)
    y, x = np.mgrid[:64, :96]
    smooth = np.stack([128 + 90 * np.sin(x / 9), 128 + 90 * np.cos(y / 7), (x + y)], axis=2)
    picture = Picture(smooth.clip(0, 255).astype(np.uint8))
    errors, sizes = [], []
    for quality in (10, 50, 90, 99):
        data = write_picture(picture, format=format, quality=quality)
        errors.append(np.square(read_picture(data).pixels.astype(float) - picture.pixels).mean())
        sizes.append(len(data))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 9


@pytest.mark.parametrize("format", dict.fromkeys(FORMATS.values()))
@pytest.mark.parametrize("channels", [1, 3])
def test_metadata_travels(format: str, channels: int) -> None:
    need(format)
    data = write_picture(Picture(noise(8, 8, channels), icc=ICC, exif=EXIF), format=format)
    again = read_picture(data)
    bare = read_picture(write_picture(Picture(noise(8, 8, channels)), format=format))
    # Without a profile a file says sRGB, JPEG XL by a profile that its reader makes.
    assert again.icc == (ICC if format not in ("bmp", "jxl") else bare.icc)
    # The tags of a TIFF describe the file itself and are not read back as EXIF; AVIF states an
    # orientation beside it, and there is nothing else in it here.
    kept = {"tiff": None, "bmp": None, "avif": WITHOUT_ORIENTATION}
    assert again.exif == kept.get(format, EXIF)
    assert bare.exif is None
    assert format == "jxl" or bare.icc is None


@pytest.mark.parametrize("format", dict.fromkeys(FORMATS.values()))
def test_writing_twice_gives_the_same_bytes(format: str) -> None:
    need(format)
    picture = Picture(noise(20, 30, 3), icc=ICC, exif=EXIF)
    assert write_picture(picture, format=format) == write_picture(picture, format=format)


@pytest.mark.parametrize("format", ["jpeg", "bmp"])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_never_flattened_in_silence(channels: int, format: str) -> None:
    with pytest.raises(InputError, match=f"{format.upper()} has no alpha channel: write PNG"):
        write_picture(Picture(noise(8, 8, channels)), format=format)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("format", ["bmp", "jxl"])
def test_what_cannot_hold_a_profile_is_srgb(format: str, channels: int) -> None:
    if format == "bmp" and channels == 4:
        pytest.skip("BMP has no alpha channel")
    need(format)
    # A profile whose green and blue trade places.
    turned = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    green, blue = turned.index(b"gXYZ"), turned.index(b"bXYZ")
    turned[green : green + 4], turned[blue : blue + 4] = b"bXYZ", b"gXYZ"
    pixels = noise(5, 7, channels)
    data = write_picture(Picture(pixels, icc=bytes(turned)), format=format, quality=100)
    found = read_picture(data).pixels
    assert np.abs(found[:, :, :3].astype(int) - pixels[:, :, [0, 2, 1]]).max() <= 1
    np.testing.assert_array_equal(found[:, :, 3:], pixels[:, :, 3:])


def test_a_missing_plug_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingDependencyError, match="JPEG XL needs pillow-jxl-plugin: pip"):
        write_picture(Picture(noise(4, 4, 3)), format="jxl")
    with pytest.raises(MissingDependencyError, match="JPEG XL needs pillow-jxl-plugin: pip"):
        read_picture(b"\xff\x0a" + bytes(40))
    for brand in (b"heic", b"mif1"):
        head = b"\x00\x00\x00\x18ftyp" + brand + bytes(4) + b"mif1heic"
        assert looks_like_picture(head)
        with pytest.raises(MissingDependencyError, match="HEIC needs pillow-heif: pip"):
            read_picture(head + bytes(40))


@pytest.mark.parametrize("size", [(1, 1), (256, 8), (257, 300), (40, 30), (4000, 3000), (9001, 5)])
@pytest.mark.parametrize("container", [False, True])
def test_the_size_of_jpeg_xl_is_known_before_it_is_decoded(
    size: tuple[int, int], container: bool
) -> None:
    pillow_jxl = pytest.importorskip("pillow_jxl")
    buffer = io.BytesIO()
    Image.new("L", size).save(buffer, "JXL", use_container=container, exif=EXIF)
    assert jxl_size(buffer.getvalue()) == size
    assert pillow_jxl
    with pytest.raises(LimitError, match=f"{size[0]} x {size[1]} pixels"):
        read_picture(buffer.getvalue(), max_pixels=size[0] * size[1] - 1)
    for cut in range(0, 20, 3):
        with pytest.raises(InputError):
            read_picture(buffer.getvalue()[: 2 + cut])


@pytest.mark.parametrize(("format", "side"), [("jpeg", 65536), ("webp", 16384)])
def test_sides_that_do_not_fit_are_refused(format: str, side: int) -> None:
    with pytest.raises(InputError, match=f"{side - 1} pixels a side, got {side} x 1"):
        write_picture(Picture(noise(1, side, 1)), format=format)


def test_metadata_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="cannot write the picture as jpeg"):
        write_picture(Picture(noise(8, 8, 3), exif=EXIF + bytes(70000)), format="jpeg")


@pytest.mark.parametrize("quality", [0, 101, -1])
def test_quality_has_a_range(quality: int) -> None:
    with pytest.raises(InputError, match=f"1 to 100, got {quality}"):
        write_picture(Picture(noise(4, 4, 3)), format="jpeg", quality=quality)


def test_another_format_is_refused() -> None:
    with pytest.raises(InputError, match=r"'gif': use png, jpeg, webp, tiff, avif, jxl, bmp"):
        write_picture(Picture(noise(4, 4, 3)), format="gif")
