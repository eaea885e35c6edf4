"""Pictures from arrays, tensors and Pillow images, and what is refused with its value shown."""

import io
from pathlib import Path
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


def test_sixteen_bits_stay_as_they_are() -> None:
    samples = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for thing in (samples, torch.from_numpy(samples)[None]):
        picture = picture_from(thing)
        assert picture.pixels.dtype == np.uint16
        assert picture.bits == 16
        np.testing.assert_array_equal(picture.pixels[:, :, 0], samples)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.nan, "got nan at row 2, column 3, channel 1"),
        (np.inf, "got inf at"),
        (-np.inf, "got -inf at"),
        (-0.0011, "got -0.0011 at"),
        (1.0010001, r"got 1.0010001 at"),
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_resizing_leaves_beyond_the_range_is_clamped(dtype: Any) -> None:
    floats = np.array([[-0.001, -1e-7, 0, 1, 1.0000001, 1.001]], dtype)
    expected = [0, 0, 0, 255, 255, 255]
    assert picture_from(floats).pixels.ravel().tolist() == expected
    tensor = torch.from_numpy(floats)[None]
    assert picture_from(tensor).pixels.ravel().tolist() == expected


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_both_byte_orders_are_read(order: str) -> None:
    samples = np.arange(0, 65536, 37, dtype=np.uint16)[None]
    picture = picture_from(samples.astype(order))
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels[:, :, 0], samples)


class Marked(torch.Tensor):
    """As torchvision marks its images: a class of its own from a module of its own."""


def test_classes_derived_from_tensors_are_tensors() -> None:
    pixels = torch.from_numpy(noise(3, 5, 7))
    for tensor in (pixels.as_subclass(Marked), torch.nn.Parameter(pixels / 255)):
        found = picture_from(tensor).pixels
        np.testing.assert_array_equal(found, noise(3, 5, 7).transpose(1, 2, 0))


def test_a_lazy_pillow_image_that_is_cut_or_closed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(noise(64, 64, 3)).save(path)
    closed = Image.open(path)
    closed.close()
    with pytest.raises(InputError, match="damaged or cut off"):
        picture_from(closed)
    for format in ("PNG", "JPEG", "TIFF"):
        Image.fromarray(noise(64, 64, 3)).save(path, format)
        path.write_bytes(path.read_bytes()[: -path.stat().st_size // 3])
        try:
            image = Image.open(path)
        except OSError:
            assert format == "TIFF"
            continue
        with image, pytest.raises(InputError, match="damaged or cut off"):
            picture_from(image)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_an_animation_gives_the_frame_that_it_stands_at(format: str) -> None:
    colours = [(250, 10, 20), (5, 240, 30), (0, 20, 230)]
    frames = [Image.new("RGB", (8, 9), colour) for colour in colours]
    buffer = io.BytesIO()
    options = {"lossless": True} if format == "WEBP" else {}
    frames[0].save(buffer, format, save_all=True, append_images=frames[1:], **options)
    with Image.open(buffer) as image:
        for number in (0, 2, 1):
            image.seek(number)
            assert (picture_from(image).pixels[:, :, :3] == colours[number]).all()


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
