"""Picture files out: exact pixels where a format is lossless, metadata, and what is refused."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.picture.reader import read_picture
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.suffixes import FORMATS
from vqcodec.media.picture.writer import write_picture

ICC = b"a colour profile" * 20
# One tag, an orientation of 1.
EXIF = (
    b"II*\x00\x08\x00\x00\x00\x01\x00" + b"\x12\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00"
) + bytes(4)


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(9).integers(0, 256, shape, dtype=np.uint8)


def as_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels if pixels.shape[2] > 2 else np.concatenate([pixels[:, :, :1]] * 2 + [pixels], 2)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("format", ["png", "tiff", "webp"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (13, 7)])
def test_lossless_formats_give_the_pixels_back(
    channels: int, format: str, height: int, width: int
) -> None:
    pixels = noise(height, width, channels)
    again = read_picture(write_picture(Picture(pixels), format=format, quality=100)).pixels
    # WebP knows no grey; it also drops alpha that is opaque everywhere, which noise is not.
    expected = as_rgb(pixels) if format == "webp" else pixels
    np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_quality_trades_bytes_for_error(format: str) -> None:
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
    data = write_picture(Picture(noise(8, 8, channels), icc=ICC, exif=EXIF), format=format)
    again = read_picture(data)
    assert again.icc == ICC
    # The tags of a TIFF describe the file itself and are not read back as EXIF.
    assert again.exif == (None if format == "tiff" else EXIF)
    bare = read_picture(write_picture(Picture(noise(8, 8, channels)), format=format))
    assert (bare.icc, bare.exif) == (None, None)


@pytest.mark.parametrize("format", dict.fromkeys(FORMATS.values()))
def test_writing_twice_gives_the_same_bytes(format: str) -> None:
    picture = Picture(noise(20, 30, 3), icc=ICC, exif=EXIF)
    assert write_picture(picture, format=format) == write_picture(picture, format=format)


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_never_flattened_in_silence(channels: int) -> None:
    with pytest.raises(InputError, match="JPEG has no alpha channel: write PNG"):
        write_picture(Picture(noise(8, 8, channels)), format="jpeg")


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
    with pytest.raises(InputError, match=r"'gif': use png, jpeg, webp, tiff"):
        write_picture(Picture(noise(4, 4, 3)), format="gif")
