"""Colours told without a profile become one: compared with formulas through a second reader."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from vqcodec.media.picture.code_points import find_nclx, profile_of_facts
from vqcodec.media.picture.icc import SRGB_CURVE, fits_channels, gamma_curve, make_profile
from vqcodec.media.picture.reader import read_picture

SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
WIDE = (0.3127, 0.3290, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
RAMP = np.arange(256, dtype=np.uint8)[None]


def png(channels: int, *chunks: bytes) -> bytes:
    shape = (3, 5, 3) if channels == 3 else (3, 5)
    buffer = io.BytesIO()
    Image.fromarray(np.full(shape, 90, np.uint8)).save(buffer, "PNG")
    data = buffer.getvalue()
    written = b"".join(
        struct.pack(">I", len(c) - 4) + c + zlib.crc32(c).to_bytes(4) for c in chunks
    )
    return data[:33] + written + data[33:]


def gama(gamma: float) -> bytes:
    return b"gAMA" + struct.pack(">I", round(gamma * 1e5))


def chrm(points: tuple[float, ...]) -> bytes:
    return b"cHRM" + struct.pack(">8I", *(round(1e5 * point) for point in points))


def as_srgb(icc: bytes, pixels: Any, mode: str) -> Any:
    """What Little CMS makes of pixels under a profile."""
    image = Image.fromarray(pixels)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    converted = ImageCms.profileToProfile(
        image,
        profile,
        ImageCms.createProfile("sRGB"),
        outputMode=mode,
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert converted is not None
    return np.asarray(converted).astype(int)


def srgb_of(light: Any) -> Any:
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("gamma", [1.0, 0.55556, 0.3])
@pytest.mark.parametrize("channels", [1, 3])
def test_gamma_becomes_a_profile(gamma: float, channels: int) -> None:
    icc = read_picture(png(channels, gama(gamma))).icc
    assert icc is not None
    assert fits_channels(icc, channels)
    assert not fits_channels(icc, 4 - channels)
    ramp = RAMP if channels == 1 else np.repeat(RAMP[..., None], 3, axis=2)
    expected = srgb_of((RAMP[0] / 255) ** (1 / gamma))
    found = as_srgb(icc, ramp, "RGB")[0]
    # Little CMS takes grey through a coarse table, which bends where the curve is steep.
    wrong = np.abs(found - expected[:, None]).max(axis=1)
    assert wrong[8 if channels == 1 else 0 :].max() <= 2


def test_primaries_become_a_profile() -> None:
    icc = read_picture(png(3, chrm(WIDE), gama(0.45455))).icc
    assert icc is not None
    # Red, green and blue of sRGB within Display P3, by CSS Color 4.
    inside = np.array([[[234, 51, 35], [117, 251, 76], [0, 0, 245], [77, 77, 77]]], np.uint8)
    expected = [[[255, 0, 0], [0, 255, 0], [0, 0, 255], [77, 77, 77]]]
    assert np.abs(as_srgb(icc, inside, "RGB") - expected).max() <= 3


@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (gama(0.45455),),
        (gama(0.45455), chrm(SRGB)),
        (b"sRGB\x00", gama(1.0), chrm(WIDE)),
        (b"cICP\x01\x0d\x00\x01", gama(1.0)),
        (b"cICP\x02\x02\x00\x01",),
        (gama(0),),
        (gama(0.45455), chrm((0.3127, 0.329, *(0.3, 0.3) * 3))),
        (chrm((0.0,) * 8),),
    ],
)
def test_srgb_and_nonsense_need_no_profile(chunks: tuple[bytes, ...]) -> None:
    assert read_picture(png(3, *chunks)).icc is None


def test_code_points_of_a_png_become_a_profile() -> None:
    icc = read_picture(png(3, b"cICP\x0c\x0d\x00\x01")).icc
    by_points = make_profile(WIDE, SRGB_CURVE, grey=False, cicp=b"\x0c\x0d\x00\x01")
    assert icc == by_points
    for transfer, mid in ((8, 188), (4, 128)):
        found = read_picture(png(3, b"cICP\x01" + bytes([transfer]) + b"\x00\x01")).icc
        assert found is not None
        grey = np.full((1, 1, 3), 128, np.uint8)
        assert np.abs(as_srgb(found, grey, "RGB") - mid).max() <= 2


@pytest.mark.parametrize(
    ("transfer", "sample", "light"), [(16, 148, 0.0202), (16, 192, 0.098), (18, 128, 1 / 12)]
)
def test_high_dynamic_range_becomes_a_profile(transfer: int, sample: int, light: float) -> None:
    """203 and 1,000 of 10,000 candela (BT.2408); half a signal of HLG is a twelfth of its light."""
    icc = read_picture(png(3, b"cICP\x09" + bytes([transfer]) + b"\x00\x01")).icc
    assert icc is not None
    assert b"cicp" + bytes(4) + b"\x09" + bytes([transfer, 0, 1]) in icc
    found = as_srgb(icc, np.full((1, 1, 3), sample, np.uint8), "RGB")
    assert np.abs(found - srgb_of(np.array(light))).max() <= 3


def test_nclx_of_avif_becomes_a_profile() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 9, 3), 90, np.uint8)).save(buffer, "AVIF")
    data = buffer.getvalue()
    points = find_nclx(data)
    assert points is not None
    assert points[:2] == b"\x01\x0d"
    assert read_picture(data).icc is None
    place = data.index(b"colrnclx") + 8
    wide = data[:place] + b"\x00\x0c\x00\x0d" + data[place + 4 :]
    expected = make_profile(WIDE, SRGB_CURVE, grey=False, cicp=b"\x0c\x0d\x00\x01")
    assert read_picture(wide).icc == expected


@given(st.binary(max_size=120))
@settings(deadline=None, max_examples=300)
def test_random_boxes_are_no_trap(data: bytes) -> None:
    points = find_nclx(b"\x00\x00\x00\x00meta" + bytes(4) + data)
    assert points is None or len(points) == 4


@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8)
    | st.lists(st.integers(0, 10**5), min_size=8, max_size=8),
    st.integers(0, 2**32 - 1) | st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=300)
def test_random_chromaticities_are_no_trap(points: list[int], gamma: int) -> None:
    info = {"chromaticity": tuple(point / 1e5 for point in points), "gamma": gamma / 1e5}
    icc = profile_of_facts(info, grey=False)
    assert icc is None or int.from_bytes(icc[:4]) == len(icc)


@pytest.mark.parametrize(
    ("space", "channels", "kept"),
    [
        *((b"RGB ", 3, True), (b"RGB ", 4, True), (b"RGB ", 1, False), (b"RGB ", 2, False)),
        *((b"GRAY", 1, True), (b"GRAY", 3, False), (b"CMYK", 3, False), (b"Lab ", 3, False)),
    ],
)
def test_a_profile_for_other_colours_is_left_out(space: bytes, channels: int, kept: bool) -> None:
    icc = make_profile(SRGB, gamma_curve(1.8), grey=channels < 3)
    assert icc is not None
    icc = icc[:16] + space + icc[20:]
    shape = (3, 5, channels) if channels > 1 else (3, 5)
    for format in ("PNG", "TIFF"):
        buffer = io.BytesIO()
        image = Image.fromarray(np.full(shape, 90, np.uint8))
        image.save(buffer, format, icc_profile=icc)
        assert read_picture(buffer.getvalue()).icc == (icc if kept else None)
