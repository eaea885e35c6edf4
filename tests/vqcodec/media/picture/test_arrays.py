"""Pictures from arrays, tensors and Pillow images, and what is refused with its value shown."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from vqcodec.errors import InputError
from vqcodec.media.picture.arrays import picture_from
from vqcodec.media.picture.signal import Picture


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_bytes_pass_unchanged(channels: int) -> None:
    pixels = noise(5, 7, channels)
    np.testing.assert_array_equal(picture_from(pixels).pixels, pixels)
    np.testing.assert_array_equal(picture_from(pixels[::-2, ::3]).pixels, pixels[::-2, ::3])


def test_grey_may_lack_its_axis() -> None:
    np.testing.assert_array_equal(picture_from(noise(5, 7)).pixels[:, :, 0], noise(5, 7))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_every_eight_bit_value_survives_as_float(dtype: Any) -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    floats = (pixels / 255).astype(dtype)
    np.testing.assert_array_equal(picture_from(floats).pixels[:, :, 0], pixels)


@given(st.floats(0, 1))
@settings(deadline=None)
def test_floats_round_to_the_nearest_step(value: float) -> None:
    result = int(picture_from(np.full((1, 1), value)).pixels[0, 0, 0])
    assert abs(result - value * 255) <= 0.5 + 1e-9


def test_sixteen_bits_round_to_the_nearest_step() -> None:
    samples = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    exact = np.floor(samples.astype(np.float64) * 255 / 65535 + 0.5)
    np.testing.assert_array_equal(picture_from(samples).pixels[:, :, 0], exact)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.nan, "got nan at row 2, column 3, channel 1"),
        (np.inf, "got inf at"),
        (-np.inf, "got -inf at"),
        (-0.001, "got -0.001 at"),
        (1.5, r"got 1.5 .*divide by 255 first"),
        (255.0, "got 255 .*divide by 255 first"),
        (1e9, r"got 1e\+09 at row 2, column 3, channel 1$"),
    ],
)
def test_a_bad_float_is_shown_with_its_place(value: float, says: str) -> None:
    floats = np.full((4, 5, 3), 0.5, np.float64)
    floats[2, 3, 1] = value
    with pytest.raises(InputError, match=says):
        picture_from(floats)
    with pytest.raises(InputError, match=says.split(" at ")[0]):
        picture_from(torch.from_numpy(floats).permute(2, 0, 1))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5, 3), (5, 0, 3)])
def test_an_empty_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="empty"):
        picture_from(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(), (5,), (5, 5, 0), (5, 5, 5), (1, 5, 5, 3)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="must be"):
        picture_from(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", [bool, np.int64, np.int8, np.uint32, complex, object, "U1"])
def test_another_dtype_is_refused(dtype: Any) -> None:
    with pytest.raises(InputError, match="samples must be uint8, uint16 or float"):
        picture_from(np.zeros((4, 4), dtype))


@pytest.mark.parametrize("thing", [None, 5, "photo.png", [[1, 2]], b"bytes"])
def test_what_is_no_picture_is_refused(thing: object) -> None:
    with pytest.raises(InputError, match=f"got {type(thing).__name__}"):
        picture_from(thing)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("batched", [False, True])
def test_tensors_have_their_channels_first(channels: int, batched: bool) -> None:
    pixels = noise(5, 7, channels)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    tensor = tensor[None] if batched else tensor
    np.testing.assert_array_equal(picture_from(tensor).pixels, pixels)
    floats = (tensor.double() / 255).requires_grad_()
    np.testing.assert_array_equal(picture_from(floats).pixels, pixels)
    np.testing.assert_array_equal(picture_from(floats.float()).pixels, pixels)


def test_bfloat16_tensors_are_read() -> None:
    tensor = torch.tensor([0.0, 0.5, 1.0], dtype=torch.bfloat16).reshape(1, 1, 3)
    assert picture_from(tensor).pixels.ravel().tolist() == [0, 128, 255]


@pytest.mark.parametrize("shape", [(5, 7), (2, 3, 5, 7), (5, 5, 7), (0, 5, 7)])
def test_a_tensor_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="a tensor must be"):
        picture_from(torch.zeros(shape))


def test_a_tensor_of_another_dtype_is_refused() -> None:
    with pytest.raises(InputError, match="got int64"):
        picture_from(torch.zeros((3, 5, 7), dtype=torch.int64))


def test_pillow_images_are_converted_and_keep_their_profile() -> None:
    image = Image.fromarray(noise(5, 7)).convert("P")
    image.info["icc_profile"] = b"profile"
    picture = picture_from(image)
    np.testing.assert_array_equal(picture.pixels, np.repeat(noise(5, 7)[:, :, None], 3, axis=2))
    assert picture.icc == b"profile"


def test_an_empty_pillow_image_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        picture_from(Image.new("RGB", (0, 4)))


def test_a_picture_passes_as_it_is() -> None:
    picture = Picture(noise(4, 4, 3), icc=b"icc", exif=b"exif")
    assert picture_from(picture) is picture


def test_a_picture_can_always_be_handed_to_torch() -> None:
    frozen = noise(4, 5, 3)[:, ::-1]
    frozen.flags.writeable = False
    picture = picture_from(frozen)
    assert picture.pixels.flags.c_contiguous
    np.testing.assert_array_equal(torch.from_numpy(picture.pixels).numpy(), frozen)
    assert not np.shares_memory(picture.pixels, frozen)
    flipped = picture_from(Image.fromarray(noise(4, 5, 3))).pixels
    np.testing.assert_array_equal(torch.from_numpy(flipped).numpy(), noise(4, 5, 3))


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 5), np.uint8), np.zeros((4, 4, 3))]
)
def test_a_picture_checks_its_pixels(pixels: Any) -> None:
    with pytest.raises(InputError, match="pixels must be uint8"):
        Picture(pixels)
