"""The slope of the decoded error, against autograd in float64."""

import pytest
import torch
from torch import Tensor, nn

from vqcodec.rate.slope import error_slope
from vqcodec.transforms.convolutional import ConvolutionalTransform


def transform_of(stride: tuple[int, ...]) -> ConvolutionalTransform:
    torch.manual_seed(0)
    transform = ConvolutionalTransform(
        3,
        stride=stride,
        latent_dim=6,
        analysis_width=4,
        analysis_depth=0,
        synthesis_width=8,
        synthesis_depth=1,
    )
    transform.requires_grad_(False)
    for module in transform.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            module.weight.mul_(3)
    return transform


def by_hand(
    transform: ConvolutionalTransform, values: Tensor, samples: Tensor
) -> tuple[float, Tensor]:
    """Error and slope from one pass over the whole, in float64."""
    latent = values.double()[None].requires_grad_()
    inside = [slice(0, length) for length in samples.shape[1:]]
    decoded = transform.double().synthesise(latent)[0][:, *inside]
    error = (decoded - samples).square().sum()
    (slope,) = torch.autograd.grad(error / 2, latent)
    transform.float()
    return float(error.detach()), slope[0].float()


@pytest.mark.parametrize(
    ("stride", "grid", "extent"),
    [
        ((4, 4), (5, 7), (20, 28)),
        ((4, 4), (5, 7), (17, 25)),
        ((4, 4), (1, 1), (1, 3)),
        ((8,), (11,), (83,)),
        ((2, 4, 2), (3, 2, 5), (6, 7, 9)),
    ],
)
def test_slope_of_a_signal(
    stride: tuple[int, ...], grid: tuple[int, ...], extent: tuple[int, ...]
) -> None:
    transform = transform_of(stride)
    values, samples = torch.randn(6, *grid), torch.rand(3, *extent)
    error, wanted = by_hand(transform, values, samples)
    squares, found = error_slope(transform, values, samples)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    assert not found.requires_grad
    assert squares == pytest.approx(error, rel=1e-5)


def test_what_is_nan_does_not_count() -> None:
    """A piece of a signal: the slope of its own error, by codes around it as well."""
    transform = transform_of((4, 4))
    values, samples = torch.randn(6, 11, 15), torch.rand(3, 43, 58)
    shown = torch.full_like(samples, torch.nan)
    shown[:, 8:24, 12:32] = samples[:, 8:24, 12:32]
    latent = values[None].clone().requires_grad_()
    decoded = transform.synthesise(latent)[0]
    error = decoded[:, 8:24, 12:32] - samples[:, 8:24, 12:32]
    (wanted,) = torch.autograd.grad(error.square().sum() / 2, latent)
    squares, found = error_slope(transform, values, shown)
    torch.testing.assert_close(found, wanted[0], atol=1e-5, rtol=1e-4)
    assert squares == pytest.approx(float(error.detach().square().sum()), rel=1e-5)
    assert bool((found[:, 1, :] != 0).any())
    assert not bool(found[:, -1, -1].any())


def test_slope_vanishes_where_the_signal_is_met() -> None:
    transform = transform_of((4, 4))
    values = torch.randn(6, 5, 7)
    samples = transform.synthesise(values[None])[0, :, :18, :27]
    squares, found = error_slope(transform, values, samples)
    assert float(found.abs().max()) < 1e-5
    assert squares < 1e-6
