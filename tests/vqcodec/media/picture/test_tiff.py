"""TIFF files out: exact pixels, and EXIF data with directories that others read."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from vqcodec.media.picture.directories import first_directory
from vqcodec.media.picture.reader import read_picture
from vqcodec.media.picture.signal import Picture
from vqcodec.media.picture.suffixes import FORMATS
from vqcodec.media.picture.writer import write_picture

NOTES = bytes(range(200))
EXIF_TAG, GPS_TAG = 34665, 34853


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def directory(order: str, *entries: tuple[int, int, int, bytes]) -> bytes:
    packed = [
        struct.pack(order + "HHI", *entry[:3]) + entry[3].ljust(4, b"\0") for entry in entries
    ]
    return struct.pack(order + "H", len(packed)) + b"".join(packed) + bytes(4)


def camera_exif(order: str) -> bytes:
    """EXIF data as cameras write it: a maker, an Exif directory with notes, and a GPS directory."""

    def long(value: int) -> bytes:
        return struct.pack(order + "I", value)

    first = directory(
        order,
        (271, 2, 6, long(8 + 3 * 42)),
        (EXIF_TAG, 4, 1, long(8 + 42)),
        (GPS_TAG, 4, 1, long(8 + 2 * 42)),
    )
    exif = directory(
        order,
        (0x829A, 5, 1, long(8 + 3 * 42 + 6)),
        (0x927C, 7, len(NOTES), long(8 + 3 * 42 + 14)),
        (0xA002, 3, 1, struct.pack(order + "H", 640)),
    )
    gps = directory(order, (1, 2, 2, b"N\0"), (3, 2, 2, b"E\0"), (5, 1, 1, b"\1"))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    tail = b"Canon\0" + long(1) + long(250) + NOTES
    return mark + long(8) + first + exif + gps + tail


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("format", [f for f in dict.fromkeys(FORMATS.values()) if f != "bmp"])
def test_exif_directories_are_read_by_others(order: str, format: str) -> None:
    if format == "jxl":
        pytest.importorskip("pillow_jxl")
    picture = Picture(noise(37, 41, 3), icc=b"profile" * 9, exif=camera_exif(order))
    with Image.open(io.BytesIO(write_picture(picture, format=format))) as image:
        tags = image.getexif()
        assert format == "jxl" or image.info["icc_profile"] == picture.icc
        assert tags[271] == "Canon"
        exif = tags.get_ifd(EXIF_TAG)
        assert exif[0x829A] == pytest.approx(1 / 250)
        assert (exif[0x927C], exif[0xA002]) == (NOTES, 640)
        assert dict(tags.get_ifd(GPS_TAG)) == {1: "N", 3: "E", 5: b"\1"}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (300, 701)])
def test_pixels_are_exact_beside_exif(order: str, channels: int, height: int, width: int) -> None:
    exif = camera_exif(order)
    data = write_picture(Picture(noise(height, width, channels), exif=exif), format="tiff")
    np.testing.assert_array_equal(read_picture(data).pixels, noise(height, width, channels))
    # Whatever points into the block still points to the same bytes.
    assert data[8 : len(exif)] == exif[8:]


def test_tags_stand_in_order_and_once() -> None:
    order = "<"
    twice = directory(order, (271, 2, 2, b"a\0"), (256, 3, 1, b"\7"), (271, 2, 2, b"b\0"))
    data = write_picture(Picture(noise(3, 5, 3), exif=b"II*\0\x08\0\0\0" + twice), format="tiff")
    found = first_directory(data)
    assert found is not None
    tags = [entry.tag for entry in found.entries]
    assert tags == sorted(set(tags))
    assert read_picture(data).pixels.shape == (3, 5, 3)


@given(st.data(), st.sampled_from(["<", ">"]))
@settings(deadline=None, max_examples=100)
def test_no_exif_data_breaks_a_file(data: st.DataObject, order: str) -> None:
    exif = bytearray(camera_exif(order))
    for _ in range(data.draw(st.integers(1, 6))):
        exif[data.draw(st.integers(0, 140))] = data.draw(st.integers(0, 255))
    cut = bytes(exif[: data.draw(st.integers(1, len(exif)))])
    pixels = noise(9, 7, 3)
    for format in ("tiff", "png", "jpeg", "webp", "avif"):
        again = read_picture(write_picture(Picture(pixels, exif=cut), format=format))
        assert again.pixels.shape == pixels.shape
        if format in ("tiff", "png"):
            np.testing.assert_array_equal(again.pixels, pixels)
