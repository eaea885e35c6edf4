"""The slope of the decoded error: against autograd on the whole, and tile by tile."""

import pytest
import torch
from torch import Tensor, nn

from vqcodec.rate.slope import error_slope
from vqcodec.transforms.convolutional import ConvolutionalSynthesis


@pytest.fixture
def synthesis() -> ConvolutionalSynthesis:
    torch.manual_seed(0)
    network = ConvolutionalSynthesis(3, stride=4, width=8, depth=1, latent_dim=6).eval()
    network.requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.mul_(3)
    return network


def by_hand(
    synthesis: ConvolutionalSynthesis, values: Tensor, image: Tensor
) -> tuple[float, Tensor]:
    """Error and slope from one pass over the whole, in float64."""
    latent = values.double()[None].requires_grad_()
    pixels = synthesis.double()(latent)[0, :, : image.shape[1], : image.shape[2]]
    error = (pixels - image).square().sum()
    (slope,) = torch.autograd.grad(error / 2, latent)
    synthesis.float()
    return float(error.detach()), slope[0].float()


@pytest.mark.parametrize(("height", "width"), [(20, 28), (17, 25), (1, 3)])
def test_slope_of_a_picture_in_one_tile(
    synthesis: ConvolutionalSynthesis, height: int, width: int
) -> None:
    values = torch.randn(6, -(-height // 4), -(-width // 4))
    image = torch.rand(3, height, width)
    error, wanted = by_hand(synthesis, values, image)
    squares, found = error_slope(synthesis, values, image, stride=4, side=64, reach=synthesis.reach)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    assert not found.requires_grad
    assert squares == pytest.approx(error, rel=1e-5)


def test_slope_inside_of_tiles_is_that_of_the_whole(synthesis: ConvolutionalSynthesis) -> None:
    values, image = torch.randn(6, 30, 31), torch.rand(3, 118, 122)
    error, wanted = by_hand(synthesis, values, image)
    side, reach = 16, synthesis.reach
    squares, found = error_slope(synthesis, values, image, stride=4, side=side, reach=reach)
    inside = torch.zeros(30, 31, dtype=torch.bool)
    for top in (0, side):
        for left in (0, side):
            inside[top + reach : top + side - reach, left + reach : left + side - reach] = True
    torch.testing.assert_close(found[:, inside], wanted[:, inside], atol=1e-5, rtol=1e-4)
    assert squares == pytest.approx(error, rel=1e-5)
    # At the seams part of the error is seen through a border that is not there.
    assert float((found - wanted).norm()) < 0.2 * float(wanted.norm())


def test_slope_vanishes_where_the_picture_is_met(synthesis: ConvolutionalSynthesis) -> None:
    values = torch.randn(6, 5, 7)
    image = synthesis(values[None])[0, :, :18, :27]
    squares, found = error_slope(synthesis, values, image, stride=4, side=64, reach=synthesis.reach)
    assert float(found.abs().max()) < 1e-5
    assert squares < 1e-6
