"""What people set around a call, for a process or for a block, changes neither codes nor bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import start_model
from torch import Tensor
from torch_modes import default_dtype

from vqcodec.codec import Codec, load
from vqcodec.errors import InputError
from vqcodec.model.config import ModelConfig

EXTENT = (21, 35)


MODES: dict[str, Callable[[], Any]] = {
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "float16": lambda: default_dtype(torch.float16),
    "meta": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "autocast float16": lambda: torch.autocast("cpu", dtype=torch.float16),
    "inference": torch.inference_mode,
    "no gradients": torch.no_grad,
}
SAMPLES = torch.rand(2, 3, *EXTENT)


def everything(codec: Codec, pixels: NDArray[np.uint8]) -> list[Any]:
    """What the public calls give, with streams of every kind of search and target."""
    streams = [codec.encode(pixels, effort=effort) for effort in (1, 5, 8, 9)]
    streams += [codec.encode(pixels, psnr=18.0), codec.encode(pixels, bpp=1.0, effort=9)]
    codes = codec.quantize(SAMPLES)
    return [
        *streams,
        codec.decode(streams[-1]).tobytes(),
        codes,
        codec.reconstruct(codes[:, :2], extent=EXTENT),
        codec.analyse(SAMPLES),
    ]


def assert_same(found: list[Any], expected: list[Any]) -> None:
    for one, other in zip(found, expected, strict=True):
        if isinstance(other, Tensor):
            assert (one.dtype, one.device) == (other.dtype, other.device)
            assert torch.equal(one, other)
        else:
            assert one == other


@pytest.mark.parametrize("mode", MODES)
def test_a_codec_loaded_before(mode: str, codec: Codec, photo: NDArray[np.uint8]) -> None:
    pixels = photo[: EXTENT[0], : EXTENT[1]]
    expected = everything(codec, pixels)
    with MODES[mode]():
        found = everything(codec, pixels)
    assert_same(found, expected)


@pytest.mark.parametrize("mode", MODES)
def test_a_codec_loaded_inside(
    mode: str, codec: Codec, tiny_path: Path, photo: NDArray[np.uint8]
) -> None:
    pixels = photo[: EXTENT[0], : EXTENT[1]]
    with MODES[mode]():
        loaded = load(tiny_path, device="cpu")
        found = everything(loaded, pixels)
    expected = everything(codec, pixels)
    assert_same(found, expected)
    assert_same(everything(loaded, pixels), expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_a_model_starts_and_learns_in_float32(
    dtype: torch.dtype, small_config: ModelConfig, photos: list[NDArray[np.uint8]]
) -> None:
    batch = torch.from_numpy(photos[0][None, :64, :64].transpose(0, 3, 1, 2)).float() / 255

    def learn() -> dict[str, Tensor]:
        model = start_model(small_config, batch).train()
        torch.manual_seed(0)
        model(batch, mu=1.0, restart=True)
        return model.state_dict()

    expected = learn()
    with default_dtype(dtype):
        found = learn()
    assert_same([*found.values()], [*expected.values()])


def test_codes_and_samples_made_in_inference_mode_can_be_trained_on(codec: Codec) -> None:
    with torch.inference_mode():
        codes = codec.quantize(SAMPLES)
        samples = codec.reconstruct(codes, extent=EXTENT)
    table = torch.zeros(32, 4, requires_grad=True)
    scale = torch.ones((), requires_grad=True)
    loss = (table[codes] - 1).square().sum() + (scale * samples).square().sum()
    loss.backward()  # type: ignore[no-untyped-call]
    assert scale.grad is not None
    assert not codes.is_inference()


def test_a_latent_made_in_inference_mode_is_searched(codec: Codec) -> None:
    """Effort 9 differentiates the synthesis."""

    def search(latent: Tensor, samples: Tensor) -> Tensor:
        return codec.search(latent, samples=samples, effort=9).at_quality(60.0)

    expected = search(codec.analyse(SAMPLES)[0], SAMPLES[0])
    with torch.inference_mode():
        samples = SAMPLES.clone()
        latent = codec.analyse(samples).clone()
        assert torch.equal(search(latent[0], samples[0]), expected)
    assert torch.equal(search(latent[0], samples[0]), expected)


def test_no_gradients_come_from_a_codec(codec: Codec) -> None:
    samples = SAMPLES.clone().requires_grad_()
    assert not codec.analyse(samples).requires_grad
    assert not codec.reconstruct(codec.quantize(samples), extent=EXTENT).requires_grad


def test_quantize_compiles(codec: Codec) -> None:
    """Alone, and as part of a larger function; what is checked by value breaks the graph."""
    expected = codec.quantize(SAMPLES)
    quantize = torch.compile(codec.quantize, backend="eager")
    assert torch.equal(quantize(SAMPLES), expected)

    def step(samples: Tensor) -> Tensor:
        return codec.quantize(samples / 2).sum() + 1

    assert torch.equal(torch.compile(step, backend="eager")(2 * SAMPLES), expected.sum() + 1)
    with torch.inference_mode():
        assert torch.equal(quantize(SAMPLES), expected)
    with pytest.raises(InputError, match="NaN"):
        quantize(SAMPLES * torch.nan)
