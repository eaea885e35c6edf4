"""From samples to fields of every dtype, and masks of what is missing."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vqcodec.bitstream import Chunk, Header, PartialStream, Stream
from vqcodec.errors import CorruptError
from vqcodec.grid import whole
from vqcodec.media.field.chunks import (
    DTYPES,
    MISSING,
    NUMBERS,
    Numbers,
    missing_of,
    numbers_of,
    pack_missing,
)
from vqcodec.media.field.measures import largest_error, psnr
from vqcodec.media.field.samples import field_of
from vqcodec.media.field.signal import Field


def stream_of(
    channels: int, extent: tuple[int, int], dtype: str = "float32", *more: Chunk, axes: int = 3
) -> Stream:
    header = Header(
        medium=5,
        extent=extent,
        channels=channels,
        stages=1,
        prior=0,
        fingerprint=bytes(8),
        regions=1,
    )
    return Stream(header, (Chunk(NUMBERS, Numbers(dtype, axes).pack()), *more), (b"",))


def decoded(samples: NDArray[np.float32], dtype: str, axes: int = 3) -> NDArray[Any]:
    extent = samples.shape[1], samples.shape[2]
    stream = stream_of(len(samples), extent, dtype, axes=axes)
    values = field_of([(whole(extent), samples)], stream, whole(extent)).values
    assert values.dtype == dtype
    return values


# The numbers stand in files: docs/format.md lists them, and none may ever move.
def test_dtypes_have_the_numbers_of_the_format() -> None:
    packed = {dtype: Numbers(dtype, 2).pack() for dtype in DTYPES}
    assert packed == {
        **{"int8": b"\0\2", "int16": b"\1\2", "int32": b"\2\2"},
        **{"uint8": b"\3\2", "uint16": b"\4\2", "uint32": b"\5\2"},
        **{"float16": b"\6\2", "float32": b"\7\2", "float64": b"\x08\2"},
    }


@pytest.mark.parametrize("dtype", [name for name in DTYPES if "int" in name])
def test_integers_are_rounded_and_stay_within_their_range(dtype: str) -> None:
    info = np.iinfo(dtype)
    samples = np.array([[[0.5, 1.5, 2.4, 2.6, -1e30, 1e30]]], np.float32)
    wanted = [0, 2, 2, 3, info.min, info.max]
    assert decoded(samples, dtype).tolist() == [[wanted]]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_stay_finite(dtype: str) -> None:
    samples = np.array([[[0.25, -3e38, 3e38, np.inf]]], np.float32)
    values = decoded(samples, dtype)
    most = float(np.finfo("float16" if dtype == "float16" else "float32").max)
    assert np.isfinite(values).all()
    assert values[0, 0].tolist() == pytest.approx([0.25, max(-most, -3e38), min(most, 3e38), most])


def test_a_field_without_a_channel_axis_comes_back_so() -> None:
    samples = np.ones((1, 3, 4), np.float32)
    assert decoded(samples, "float32", axes=2).shape == (3, 4)
    assert decoded(samples, "float32", axes=3).shape == (1, 3, 4)


@given(st.data())
def test_masks_come_back(data: st.DataObject) -> None:
    channels, rows, columns = (data.draw(st.integers(1, n)) for n in (3, 9, 19))
    bits = data.draw(st.binary(min_size=1, max_size=64))
    filled = np.resize(np.unpackbits(np.frombuffer(bits, np.uint8)), (channels, rows, columns))
    mask = filled.astype(bool)
    chunk = Chunk(MISSING, pack_missing(mask))
    found = missing_of(stream_of(channels, (rows, columns), "float32", chunk))
    assert found is not None
    assert np.array_equal(np.broadcast_to(found, mask.shape), mask)


def test_one_plane_stands_for_all_channels() -> None:
    same = np.zeros((200, 64, 64), bool)
    same[:, 3:40, 5:50] = True
    assert len(pack_missing(same)) == len(pack_missing(same[:1]))


@given(st.binary(max_size=40))
def test_any_other_mask_is_refused_by_name(payload: bytes) -> None:
    with pytest.raises(CorruptError):
        missing_of(stream_of(2, (30, 40), "float32", Chunk(MISSING, payload)))


@given(st.binary(max_size=4))
def test_any_payload_is_numbers_or_refused(payload: bytes) -> None:
    header = stream_of(2, (3, 4)).header
    try:
        numbers = numbers_of(header, [Chunk(NUMBERS, payload)])
    except CorruptError:
        return
    assert numbers.pack() == payload


def test_a_part_of_a_field_has_a_part_of_its_mask() -> None:
    mask = np.zeros((1, 6, 8), bool)
    mask[0, 2:4, 5] = True
    stream = stream_of(1, (6, 8), "float32", Chunk(MISSING, pack_missing(mask)))
    region = (slice(1, 5), slice(4, 8))
    parts: Sequence[Any] = [(region, np.ones((1, 4, 4), np.float32))]
    values = field_of(parts, stream, region).values
    assert np.array_equal(np.isnan(values), mask[:, 1:5, 4:8])
    half = (slice(0, 3), slice(0, 4))
    small = field_of([(half, np.ones((1, 3, 4), np.float32))], stream, half, shrink=2).values
    assert np.argwhere(np.isnan(small[0])).tolist() == [[1, 2]]


def test_channels_of_another_model_are_refused() -> None:
    stream = stream_of(2, (3, 4))
    region = whole((3, 4))
    with pytest.raises(CorruptError, match="2 channels, the model has 1"):
        field_of([(region, np.ones((1, 3, 4), np.float32))], stream, region)


def test_what_is_left_of_a_field_is_refused() -> None:
    stream = stream_of(1, (3, 4))
    left = PartialStream(stream.header, stream.side_chunks, (), ())
    with pytest.raises(CorruptError, match="decoded whole: 0 of 1 regions"):
        field_of([], left, whole((3, 4)))


def test_measures_are_of_what_is_there() -> None:
    original = np.array([[[0.0, 10.0, np.nan]], [[5.0, 5.0, 5.0]]])
    near = np.array([[[1.0, 10.0, np.nan]], [[5.0, 5.0, 5.5]]])
    # Errors of 10 % in one of two values, and of 10 % of their size in one of three.
    mean = (0.01 / 2 + 0.01 / 3) / 2
    assert psnr(Field(near), Field(original)) == pytest.approx(-10 * np.log10(mean))
    assert largest_error(Field(near), Field(original)) == pytest.approx(10.0)
    lost = dataclasses.replace(Field(near), values=np.where(near == 10, np.nan, near))
    assert psnr(lost, Field(original)) == -np.inf
    nothing = Field(np.full((2, 2), np.nan))
    assert psnr(nothing, nothing) == np.inf
