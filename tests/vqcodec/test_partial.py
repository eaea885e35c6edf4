"""Signals of which only some regions are left: those are as they were, the others are blank."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import vqcodec
from vqcodec import Codec
from vqcodec.bitstream import PartialStream
from vqcodec.errors import (
    ChecksumError,
    CorruptError,
    FormatError,
    TruncatedError,
    UnknownModelError,
)
from vqcodec.media.registry import read_any_stream

Pixels = NDArray[np.uint8]

# Regions are 13 positions a side, and the synthesis looks at 4 around: in pixels.
SIDE, REACH = 8 * 13, 8 * 4


@pytest.fixture(scope="module")
def codec(regions_codec: Codec) -> Codec:
    return regions_codec


@pytest.fixture(scope="module")
def data(codec: Codec, photos: list[Pixels]) -> bytes:
    """Of 3 x 4 regions, with alpha in a side chunk."""
    pixels = photos[0][100:311, 60:375]
    return codec.encode(np.concatenate([pixels, pixels[:, :, :1] // 2 + 9], axis=2))


@pytest.fixture(scope="module")
def whole(codec: Codec, data: bytes) -> Pixels:
    return codec.decode(data)


def ends(data: bytes) -> list[int]:
    """Where each code chunk ends."""
    _, stream = read_any_stream(data)
    sizes = [5 + (1 if len(code) < 128 else 2) + len(code) for code in stream.codes]
    return [len(data) - sum(sizes[number + 1 :]) for number in range(len(sizes))]


def exact(numbers: tuple[int, ...]) -> NDArray[np.bool_]:
    """The pixels whose codes, and all codes that the synthesis sees around them, are there."""
    there = np.zeros((3, 4), bool)
    there.flat[list(numbers)] = True
    pixels = there.repeat(SIDE, axis=0).repeat(SIDE, axis=1)[:211, :315]
    missing, kept = ~pixels, pixels.copy()
    for y, x in zip(*np.nonzero(missing), strict=True):
        kept[max(0, y - REACH) : y + REACH + 1, max(0, x - REACH) : x + REACH + 1] = False
    return kept


def test_a_whole_stream_is_decoded_as_ever(codec: Codec, data: bytes, whole: Pixels) -> None:
    np.testing.assert_array_equal(codec.decode(data, partial=True), whole)


@pytest.mark.parametrize("left", [1, 5, 6, 11])
@pytest.mark.parametrize("threads", [1, 2])
def test_regions_that_are_there_are_as_they_were(
    codec: Codec, data: bytes, whole: Pixels, left: int, threads: int
) -> None:
    cut = data[: ends(data)[left] - 1]
    found = codec.decode(cut, partial=True, threads=threads)
    kept = exact(tuple(range(left)))
    assert kept.any()
    np.testing.assert_array_equal(found[kept], whole[kept])
    np.testing.assert_array_equal(found[:, :, 3], whole[:, :, 3])
    with pytest.raises(TruncatedError):
        codec.decode(cut)


def test_regions_that_are_not_there_are_what_zeros_decode_to(codec: Codec, data: bytes) -> None:
    found = codec.decode(data[: ends(data)[0]], partial=True)
    zeros = torch.zeros(1, 5, 27, 40, dtype=torch.int64)
    blank = codec.reconstruct(zeros, extent=(211, 315))[0].permute(1, 2, 0).numpy()
    far = np.s_[SIDE + REACH :, SIDE + REACH :, :3]
    assert np.abs(found[far] - blank[far].clip(0, 1) * 255).max() < 0.55
    # About the middle: this model takes 0.5 from all samples before anything else.
    assert np.abs(blank - 0.5).max() < 0.05


def test_a_damaged_region_in_the_middle(codec: Codec, data: bytes, whole: Pixels) -> None:
    damaged = bytearray(data)
    damaged[ends(data)[5] - 9] ^= 4
    found = codec.decode(bytes(damaged), partial=True)
    kept = exact((0, 1, 2, 3, 4, *range(6, 12)))
    np.testing.assert_array_equal(found[kept], whole[kept])
    with pytest.raises(ChecksumError):
        codec.decode(bytes(damaged))


def test_with_a_region_and_a_scale(codec: Codec, data: bytes) -> None:
    cut = data[: ends(data)[8]]
    part = (slice(0, 104), slice(8, 72))
    found = codec.decode(cut, partial=True, scale=1 / 4, region=part)
    np.testing.assert_array_equal(found, codec.decode(data, scale=1 / 4, region=part))


def test_what_was_read_is_taken_as_it_is(codec: Codec, data: bytes) -> None:
    """It tells how much is there, and cannot be had without asking for it."""
    cut = data[: ends(data)[4]]
    _, stream = read_any_stream(cut, partial=True)
    assert isinstance(stream, PartialStream)
    assert stream.numbers == (0, 1, 2, 3, 4)
    np.testing.assert_array_equal(codec.decode(stream), codec.decode(cut, partial=True))
    with pytest.raises(CorruptError, match="5 payloads for 12 regions"):
        codec.decode_codes(stream)


def test_paths_and_files_of_any_model(
    data: bytes, codec: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = data[: ends(data)[2]]
    (tmp_path / "cut.vqc").write_bytes(cut)
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path))
    with pytest.raises(UnknownModelError):
        vqcodec.decode(tmp_path / "cut.vqc", partial=True)
    (tmp_path / "partial.safetensors").write_bytes(Path(codec.card.path).read_bytes())
    found = vqcodec.decode(tmp_path / "cut.vqc", partial=True, device="cpu")
    np.testing.assert_array_equal(found, codec.decode(cut, partial=True))


@given(damage=st.data())
@settings(deadline=None, max_examples=120)
def test_any_cut_and_any_flipped_bit(
    codec: Codec, data: bytes, whole: Pixels, damage: st.DataObject
) -> None:
    damaged = bytearray(data[: damage.draw(st.integers(0, len(data)), label="length")])
    if damaged and damage.draw(st.booleans(), label="flip"):
        place = damage.draw(st.integers(0, 8 * len(damaged) - 1), label="bit")
        damaged[place // 8] ^= 1 << place % 8
    try:
        stream = read_any_stream(bytes(damaged), partial=True)[1]
        found = codec.decode(bytes(damaged), partial=True)
    except (FormatError, UnknownModelError):
        return
    assert isinstance(stream, PartialStream)
    kept = exact(stream.numbers)
    np.testing.assert_array_equal(found[kept], whole[kept])
