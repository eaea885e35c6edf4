"""Pictures and arrays that cannot be encoded: exit code 1, and nothing is written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Refusal = Callable[..., str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.usefixtures("tiny_model")
def test_truncated_picture(refused: Refusal, pixels: NDArray[np.uint8], kind: str) -> None:
    Image.fromarray(pixels).save("cut.bin", format=kind)
    whole = Path("cut.bin").read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 30):
        Path("cut.bin").write_bytes(whole[:length])
        refused(1, "encode", "cut.bin", "-m", "tiny")


@pytest.mark.parametrize("content", [b"<svg></svg>", b"hello", bytes(1000)])
@pytest.mark.usefixtures("tiny_model")
def test_no_picture_under_the_name_of_one(refused: Refusal, content: bytes) -> None:
    Path("a.png").write_bytes(content)
    refused(1, "encode", "a.png", "-m", "tiny")


@pytest.mark.usefixtures("tiny_model")
def test_values_that_are_not_numbers(refused: Refusal) -> None:
    values = np.zeros((20, 30), np.float32)
    values[3, 4] = np.nan
    Image.fromarray(values).save("nan.tiff")
    refused(1, "encode", "nan.tiff", "-m", "tiny")


@pytest.mark.parametrize("shape", [(0, 0, 3), (0, 7, 3), (7, 0), (5,), (2, 2, 5)])
def test_arrays_that_are_no_picture(tiny_weights: Path, shape: tuple[int, ...]) -> None:
    import vqcodec

    codec = vqcodec.load(tiny_weights, device="cpu")
    with pytest.raises(vqcodec.InputError):
        codec.encode(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.1])
def test_float_values_out_of_range(tiny_weights: Path, value: float) -> None:
    import vqcodec

    image = np.full((9, 9, 3), 0.5, np.float32)
    image[4, 4, 1] = value
    with pytest.raises(vqcodec.InputError):
        vqcodec.load(tiny_weights, device="cpu").encode(image)
