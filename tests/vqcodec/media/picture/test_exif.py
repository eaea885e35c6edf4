"""EXIF data of turned pictures: orientation applied, sizes exchanged, the rest as it was."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from picture_files import exif_data, noise, saved
from PIL import Image, ImageOps

from vqcodec.media.picture.exif import apply_orientation, find_orientation, reset_orientation
from vqcodec.media.picture.reader import read_picture

Pixels = NDArray[np.uint8]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_orientation_is_applied_and_reset(orientation: int, order: str, format: str) -> None:
    stored = np.repeat(np.repeat(noise(2, 3, 3), 16, 0), 16, 1)
    exif = exif_data(orientation, order=order)
    options = {"lossless": True} if format == "WEBP" else {}
    data = saved(Image.fromarray(stored), format, exif=b"Exif\x00\x00" + exif, **options)
    with Image.open(io.BytesIO(data)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, upright)
    assert picture.exif == exif_data(1, order=order)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_sizes_in_exif_turn_with_the_picture(orientation: int, order: str) -> None:
    """A width of type long beside a height of type short, as some cameras write them."""

    def block(orientation: int, width: bytes, height: bytes) -> bytes:
        first = struct.pack(order + "HHHIHH", 2, 0x0112, 3, 1, orientation, 0)
        first += struct.pack(order + "HHII", 0x8769, 4, 1, 38) + bytes(4)
        tags = (struct.pack(order + "H", tag) for tag in (0xA002, 0xA003))
        entries = b"".join(tag + value for tag, value in zip(tags, (width, height), strict=True))
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
        return head + first + struct.pack(order + "H", 2) + entries + bytes(4)

    width, height = struct.pack(order + "HII", 4, 1, 48), struct.pack(order + "HIHH", 3, 1, 32, 0)
    stored = Image.fromarray(noise(32, 48, 3))
    read = read_picture(saved(stored, "PNG", exif=block(orientation, width, height)))
    upright = (width, height) if orientation < 5 else (height, width)
    assert read.exif == block(1, *upright)
    assert read.extent == ((32, 48) if orientation < 5 else (48, 32))
    with Image.open(io.BytesIO(saved(Image.new("L", (1, 1)), "PNG", exif=read.exif))) as image:
        tags = image.getexif().get_ifd(0x8769)
        assert (tags[0xA003], tags[0xA002]) == read.extent


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientation_is_applied(orientation: int) -> None:
    stored = noise(5, 3, 3)
    data = saved(Image.fromarray(stored), "TIFF", tiffinfo={0x0112: orientation})
    upright = apply_orientation(stored, orientation)
    np.testing.assert_array_equal(read_picture(data).pixels, upright)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\x00",
        b"II*\x00\xff\xff\xff\xff",
        b"II*\x00\x08\x00\x00\x00\xff\xff",
        exif_data(6)[:25],
        exif_data(9),
        exif_data(0),
        b"no exif at all",
    ],
)
def test_damaged_exif_means_no_orientation(exif: bytes) -> None:
    assert find_orientation(exif) == 1


@given(st.binary(max_size=64), st.sampled_from([b"II*\x00", b"MM\x00*"]))
@settings(deadline=None, max_examples=500)
def test_resetting_the_orientation_touches_nothing_else(tail: bytes, mark: bytes) -> None:
    exif = mark + tail
    again = reset_orientation(exif)
    assert len(again) == len(exif)
    assert find_orientation(again) == 1
    assert sum(a != b for a, b in zip(exif, again, strict=True)) <= 2
