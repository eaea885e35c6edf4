"""What stands beside the pixels of a PNG: long texts, profiles, transparency of few bits."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vqcodec.errors import InputError, LimitError
from vqcodec.media.picture.reader import read_picture

MEBIBYTE = 1 << 20


def pixels() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(5).integers(0, 256, (9, 7, 3), dtype=np.uint8)


def written(icc: bytes | None = None, **texts: str) -> bytes:
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text, zip=True)
        info.add_itxt(f"XML:{keyword}", text, zip=True)
        info.add_text(f"plain {keyword}", text)
    buffer = io.BytesIO()
    Image.fromarray(pixels()).save(buffer, "PNG", pnginfo=info, icc_profile=icc)
    return buffer.getvalue()


def incompressible(size: int) -> bytes:
    return np.random.default_rng(6).bytes(size)


@pytest.mark.parametrize("size", [MEBIBYTE, MEBIBYTE + 1, 30 * MEBIBYTE])
def test_a_long_text_is_no_damage(size: int) -> None:
    np.testing.assert_array_equal(read_picture(written(notes="x" * size)).pixels, pixels())


def test_a_long_profile_is_kept() -> None:
    icc = incompressible(3 * MEBIBYTE)
    picture = read_picture(written(icc, notes="x" * 2 * MEBIBYTE))
    assert picture.icc == icc
    np.testing.assert_array_equal(picture.pixels, pixels())


def test_a_profile_has_a_limit_of_its_own() -> None:
    assert read_picture(written(bytes(16 * MEBIBYTE))).icc == bytes(16 * MEBIBYTE)
    with pytest.raises(LimitError, match="profile has more bytes than the limit of 16777216"):
        read_picture(written(bytes(16 * MEBIBYTE + 1)))


def test_a_profile_that_does_not_inflate_is_left_out() -> None:
    data = written(b"profile" * 50)
    place = data.index(b"iCCP")
    length = struct.unpack_from(">I", data, place - 4)[0]
    chunk = b"iCCP" + b"name\x00\x00" + b"\xff" * (length - 6)
    data = data[:place] + chunk + zlib.crc32(chunk).to_bytes(4) + data[place + length + 8 :]
    picture = read_picture(data)
    assert picture.icc is None
    np.testing.assert_array_equal(picture.pixels, pixels())


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_text_that_is_cut_off_is_damage(kept: float) -> None:
    data = written(notes="x" * 5000)
    with pytest.raises(InputError):
        read_picture(data[: int(kept * len(data))])
