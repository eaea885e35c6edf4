"""Residual branches in bfloat16: what is rounded, what is not, and what that does to pixels."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

import vqcodec
from vqcodec.transforms.blocks import ResidualBlock
from vqcodec.transforms.half import HalfBranch, halve_branches

Pixels = NDArray[np.uint8]


@torch.no_grad()
def test_the_input_of_a_block_is_never_rounded() -> None:
    block = ResidualBlock(6, axes=2)
    for parameter in block.second.parameters():
        parameter.zero_()
    x = torch.rand(2, 6, 5, 7) + 1000
    torch.testing.assert_close(HalfBranch(block)(x), x, atol=0, rtol=0)


@torch.no_grad()
def test_branches_are_right_to_half_precision() -> None:
    """Against the same blocks in float64, of weights that bfloat16 holds exactly."""
    torch.manual_seed(0)
    blocks = [ResidualBlock(16, axes=2) for _ in range(3)]
    x = torch.randn(2, 16, 9, 11)
    wanted = x.double()
    for block in blocks:
        for parameter in block.parameters():
            parameter.copy_(parameter.bfloat16().float())
        hidden = convolve(block.first, wanted)
        wanted = wanted + convolve(block.second, hidden * torch.sigmoid(hidden))
    found = halve_branches(torch.nn.Sequential(*blocks))(x)
    assert found.dtype == torch.float32
    off = (found - wanted).abs()
    # Two roundings to 8 bits within a branch, of values up to about 1, and three branches.
    assert float(off.max()) < 0.02
    assert float(off.max()) > 1e-5, "nothing was rounded"


def convolve(layer: torch.nn.Module, x: Tensor) -> Tensor:
    assert isinstance(layer, torch.nn.Conv2d)
    assert layer.bias is not None
    return functional.conv2d(x, layer.weight.double(), layer.bias.double(), padding=1)


@pytest.mark.parametrize("quality", [20, 100])
@pytest.mark.parametrize("name", ["photo", "photo-psnr"])
def test_decoded_pixels_hardly_move(
    photo: Pixels, name: str, quality: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded, streams = [], []
    for half in (False, True):
        monkeypatch.setattr(vqcodec.tokenizer, "cpu_multiplies_bfloat16", lambda half=half: half)
        codec = vqcodec.load(name, device="cpu")
        streams.append(codec.encode(photo, quality=quality))
        decoded.append(codec.decode(streams[0]).astype(int))
    off = np.abs(decoded[1] - decoded[0])
    assert off.max() <= 2
    assert 0 < (off > 0).mean() < 0.15
    assert (off > 1).mean() < 1e-4
    assert len(streams[1]) == pytest.approx(len(streams[0]), rel=0.01)
