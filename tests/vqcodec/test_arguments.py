"""What a caller may pass to a codec, and the values that are refused by name."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec.codec import Codec, load
from vqcodec.errors import BackendError, InputError

Pixels = NDArray[np.uint8]


def test_torch_devices_are_devices(tiny_path: Path, codec: Codec, photo: Pixels) -> None:
    other = load(tiny_path, device=torch.device("cpu"))
    assert other.device == torch.device("cpu")
    assert other.encode(photo) == codec.encode(photo)
    for device in (torch.device("meta"), None, 0):
        with pytest.raises(BackendError, match=f"unknown device '{device}'"):
            load(tiny_path, device=device)  # type: ignore[arg-type]


NO_NUMBERS = (math.nan, math.inf, -math.inf, "50", True, [50], 10**400, np.array([50.0]), 1j)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: f"{value!r:.9}")
@pytest.mark.parametrize("name", ["quality", "bpp", "size", "psnr", "effort"])
def test_what_is_no_number_is_refused(codec: Codec, photo: Pixels, name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{name} must be .*, got {re.escape(repr(value))}"):
        codec.encode(photo, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("quality", None), ("quality", -1), ("quality", 100.5), ("bpp", 0), ("bpp", -1.0)),
        *(("effort", None), ("effort", 5.0), ("effort", np.float32(5))),
        *(("effort", 0), ("effort", 10)),
    ],
)
def test_numbers_out_of_range_are_refused(
    codec: Codec, photo: Pixels, name: str, value: Any
) -> None:
    with pytest.raises(InputError, match=f"{name} must be .*, got {re.escape(repr(value))}"):
        codec.encode(photo, **{name: value})


@pytest.mark.parametrize(
    ("chosen", "plain"),
    [
        ({"quality": np.float32(40)}, {"quality": 40}),
        ({"size": np.int64(900), "effort": np.uint8(3)}, {"size": 900, "effort": 3}),
    ],
)
def test_numbers_of_numpy_are_numbers(
    codec: Codec, photo: Pixels, chosen: dict[str, Any], plain: dict[str, Any]
) -> None:
    assert codec.encode(photo, **chosen) == codec.encode(photo, **plain)


@pytest.mark.parametrize("value", [-0.01, 1.002, 255.0])
def test_samples_outside_of_their_range_are_refused(codec: Codec, value: float) -> None:
    """As `encode` refuses them; what a resize leaves beyond an end is quantized."""
    samples = torch.rand(1, 3, 16, 24)
    samples[0, 1, 3, 5] = value
    with pytest.raises(InputError, match=rf"in \[0, 1\], got {value:g}"):
        codec.quantize(samples)
    with pytest.raises(InputError, match="in \\[0, 1\\], got"):
        codec.encode(samples[0])
    samples[0, 1, 3, 5] = 1 + (value > 0) * 1e-3 - 5e-4
    assert codec.quantize(samples).shape == (1, 5, 2, 3)
