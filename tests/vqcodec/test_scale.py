"""A signal at a fraction of its size: means of blocks of what its first stages decode to."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec import Codec, Picture, decode, load
from vqcodec.errors import InputError
from vqcodec.media.registry import read_any_stream
from vqcodec.scale import block_means, checked_shrink, stages_shown

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def codec(regions_codec: Codec) -> Codec:
    return regions_codec


@pytest.fixture(scope="module")
def picture(photos: list[Pixels]) -> Picture:
    """Of 3 x 4 regions and odd sizes, with a colour profile, and alpha that is not constant."""
    pixels = np.empty((211, 315, 4), np.uint8)
    pixels[:, :, :3] = photos[0][100:311, 60:375]
    pixels[:, :, 3] = np.arange(211)[:, None] + np.arange(315) % 45
    return Picture(pixels, icc=b"profile")


def means_by_hand(values: NDArray[Any], shrink: int) -> Floats:
    """Of blocks of a plane (H, W), one after the other."""
    rows, columns = (-(-length // shrink) for length in values.shape)
    means = np.empty((rows, columns))
    for y, x in itertools.product(range(rows), range(columns)):
        block = values[y * shrink : (y + 1) * shrink, x * shrink : (x + 1) * shrink]
        means[y, x] = block.astype(np.float64).mean()
    return means


@pytest.mark.parametrize("shrink", [2, 4, 8])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_fraction_is_the_means_of_what_the_first_stages_decode_to(
    codec: Codec, picture: Picture, shrink: int, threads: int
) -> None:
    data = codec.encode(picture, quality=100)
    _, stream = read_any_stream(data)
    assert stream.header.stages == 5
    codes = torch.from_numpy(codec.decode_codes(stream))[None, : stages_shown(5, shrink)]
    samples = codec.reconstruct(codes, extent=picture.extent)[0].numpy()
    wanted = np.stack([means_by_hand(plane, shrink) for plane in samples], axis=2)
    found = codec.decode_signal(data, scale=1 / shrink, threads=threads)
    colours = np.clip(wanted, 0, 1) * 255
    # Rounding decides where half precision leaves a mean near the middle of two steps.
    assert np.abs(found.pixels[:, :, :3] - colours).max() < 0.5 + 0.05
    alpha = means_by_hand(picture.pixels[:, :, 3], shrink)
    assert np.abs(found.pixels[:, :, 3] - alpha).max() <= 0.5 + 1e-4
    assert found.icc == picture.icc


def test_the_whole_size_is_a_scale(codec: Codec, picture: Picture) -> None:
    data = codec.encode(picture)
    for scale in (1, 1.0):
        np.testing.assert_array_equal(codec.decode(data, scale=scale), codec.decode(data))


@pytest.mark.parametrize(
    "region",
    [(slice(0, 64), slice(0, 8)), (slice(104, 211), slice(96, 315)), (slice(208, 211), slice(8))],
    ids=str,
)
def test_a_region_at_a_scale_is_what_the_whole_has_there(
    codec: Codec, picture: Picture, region: tuple[slice, slice]
) -> None:
    data = codec.encode(picture)
    whole = codec.decode(data, scale=1 / 8)
    y, x = (slice((part.start or 0) // 8, -(-part.stop // 8)) for part in region)
    np.testing.assert_array_equal(codec.decode(data, region=region, scale=1 / 8), whole[y, x])


@pytest.mark.parametrize("region", [(slice(4, 64), slice(8)), (slice(8), slice(0, 314))], ids=str)
def test_a_region_that_cuts_blocks_is_refused(
    codec: Codec, picture: Picture, region: tuple[slice, slice]
) -> None:
    with pytest.raises(InputError, match="between multiples of 8"):
        codec.decode(codec.encode(picture), region=region, scale=1 / 8)


@pytest.mark.parametrize(
    "scale", [0, -0.5, 2, 0.3, 3 / 8, np.nan, np.inf, "1/8", None, True], ids=str
)
def test_what_is_no_scale_is_refused(codec: Codec, picture: Picture, scale: Any) -> None:
    with pytest.raises(InputError, match="power of two in"):
        codec.decode(codec.encode(picture), scale=scale)


def test_a_block_is_a_whole_part_of_a_position(codec: Codec, picture: Picture) -> None:
    with pytest.raises(InputError, match=r"0\.0625 does not divide the model's stride of 8 x 8"):
        codec.decode(codec.encode(picture), scale=1 / 16)
    assert checked_shrink(0.25, (4, 12)) == 4
    with pytest.raises(InputError, match="does not divide"):
        checked_shrink(5e-324, (8, 8))
    with pytest.raises(InputError, match="4 x 6"):
        checked_shrink(1 / 4, (4, 6))


def test_any_stream_at_a_scale() -> None:
    data = load("photo", device="cpu").encode(np.zeros((50, 64), np.uint8))
    assert decode(data, scale=1 / 8).shape == (7, 8)


@pytest.mark.parametrize("shape", [(3, 17), (2, 9, 21), (2, 4, 5, 6), (1, 1, 1)])
@pytest.mark.parametrize("shrink", [1, 2, 4, 8])
def test_block_means_are_those_of_every_axis(shape: tuple[int, ...], shrink: int) -> None:
    values = np.random.default_rng(0).random(shape)
    wanted = values
    for axis in range(1, len(shape)):
        cuts = np.split(wanted, range(shrink, shape[axis], shrink), axis=axis)
        # A block that is cut short has the mean of what it has.
        wanted = np.stack([cut.mean(axis=axis) for cut in cuts], axis=axis)
    found = block_means(values, shrink, axes=len(shape) - 1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
