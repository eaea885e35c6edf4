"""The networks: principal components at the start, and how far a pixel can be felt."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vqcodec.model.config import ModelConfig, QuantizerConfig, TransformConfig
from vqcodec.model.network import VQVAE
from vqcodec.transforms.convolutional import (
    ConvolutionalAnalysis,
    ConvolutionalSynthesis,
    principal_components,
)
from vqcodec.transforms.dense import DenseAnalysis, DenseSynthesis

Pixels = Callable[..., Tensor]


@pytest.fixture
def smooth() -> Tensor:
    """Correlated noise like a photograph, float (4, 3, 48, 64) in [0, 1]."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(4, 3, 54, 70, generator=generator)
    return torch.nn.functional.avg_pool2d(noise, 7, 1).mul(3).sub(1).clamp(0, 1)


def patches_of(pixels: Tensor, stride: int) -> Tensor:
    """Rows of centred patches, float64 (N, C * stride^2), cut without pixel_unshuffle."""
    batch, channels, height, width = pixels.shape
    cut = pixels.double().reshape(
        batch, channels, height // stride, stride, width // stride, stride
    )
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels * stride**2) - 0.5


@pytest.mark.parametrize("stride", [2, 4, 8])
@pytest.mark.parametrize("kept", [1, 5, 12])
def test_principal_components_are_those_of_the_patches(
    smooth: Tensor, stride: int, kept: int
) -> None:
    basis, scale = principal_components(smooth, stride, kept)
    torch.testing.assert_close(basis @ basis.T, torch.eye(kept), atol=1e-5, rtol=0)
    rows = patches_of(smooth, stride)
    # The best approximation of rank `kept` is that of the singular values (Eckart and Young).
    _, values, _ = torch.linalg.svd(rows, full_matrices=False)
    left = (rows - rows @ basis.double().T @ basis.double()).square().sum()
    torch.testing.assert_close(left, values[kept:].square().sum(), rtol=1e-4, atol=1e-6)
    unit = (rows @ basis.double().T).square().mean().sqrt()
    torch.testing.assert_close(scale.double(), unit, rtol=1e-5, atol=0)


def test_started_model_has_a_latent_of_unit_mean_square(smooth: Tensor) -> None:
    model = VQVAE(small_config(latent_dim=12))
    model.start(smooth)
    energy = float(model.analysis(smooth).detach().square().mean())
    assert energy == pytest.approx(1, abs=0.1)


def test_started_model_without_networks_is_the_klt(smooth: Tensor) -> None:
    """With the corrections silenced, analysis and synthesis are the KLT and its transpose."""
    model = VQVAE(small_config(latent_dim=12))
    model.start(smooth)
    silence(model.analysis)
    silence(model.synthesis)
    rows = patches_of(smooth, 4)
    basis, scale = principal_components(smooth, 4, 12)
    with torch.no_grad():
        latent = model.analysis(smooth)
        output = model.synthesis(latent)
    wanted = rows @ basis.double().T / scale
    torch.testing.assert_close(
        latent.permute(0, 2, 3, 1).reshape(-1, 12).double(), wanted, atol=1e-5, rtol=1e-4
    )
    projected = rows @ basis.double().T @ basis.double()
    torch.testing.assert_close(patches_of(output, 4), projected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def silence(network: torch.nn.Module) -> None:
    """Let the network beside the linear path say nothing."""
    for parameter in network.parameters():
        parameter.zero_()


def test_untrained_network_nearly_reproduces_the_klt(smooth: Tensor) -> None:
    torch.manual_seed(0)
    model = VQVAE(small_config(latent_dim=12))
    model.start(smooth)
    basis, _ = principal_components(smooth, 4, 12)
    rows = patches_of(smooth, 4)
    ideal = (rows - rows @ basis.double().T @ basis.double()).square().mean()
    with torch.no_grad():
        output = model(smooth, quantize=False).pixels
    error = (output - smooth).square().mean()
    signal = (smooth - smooth.mean()).square().mean()
    assert ideal < error < ideal + 0.02 * signal


def test_full_basis_loses_nothing(smooth: Tensor) -> None:
    basis, scale = principal_components(smooth, 2, 12)
    synthesis = ConvolutionalSynthesis(3, stride=2, width=4, depth=0, latent_dim=12)
    analysis = ConvolutionalAnalysis(3, stride=2, width=4, depth=0, latent_dim=12)
    for part in (analysis, synthesis):
        part.set_linear_path(basis, scale)
        silence(part)
    with torch.no_grad():
        torch.testing.assert_close(synthesis(analysis(smooth)), smooth, atol=2e-6, rtol=0)


def test_constant_picture_has_a_finite_start() -> None:
    model = VQVAE(small_config(latent_dim=12))
    grey = torch.full((1, 3, 16, 16), 0.5)
    model.start(grey)
    assert bool(model.analysis(grey).isfinite().all())


def small_config(*, latent_dim: int) -> ModelConfig:
    transform = TransformConfig(
        latent_dim=latent_dim,
        stride=4,
        analysis_width=8,
        synthesis_width=8,
        analysis_depth=1,
        synthesis_depth=2,
    )
    return ModelConfig(transform=transform, quantizer=QuantizerConfig(stages=2, codebook_size=8))


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_pixel_is_felt_within_reach_and_not_beyond(depth: int) -> None:
    torch.manual_seed(depth)
    network = ConvolutionalAnalysis(2, stride=4, width=6, depth=depth, latent_dim=5)
    x = torch.rand(1, 2, 4 * 21, 4 * 23)
    y = x.clone()
    y[0, 1, 4 * 10 + 3, 4 * 11 + 1] += 10
    with torch.no_grad():
        assert extent(network(x) != network(y)) == square(10, 11, network.reach)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_code_is_felt_within_reach_and_not_beyond(depth: int) -> None:
    torch.manual_seed(depth)
    network = ConvolutionalSynthesis(2, stride=4, width=6, depth=depth, latent_dim=5)
    x = torch.rand(1, 5, 21, 23)
    y = x.clone()
    y[0, 2, 10, 11] += 1000
    with torch.no_grad():
        difference = (network(x) != network(y)).float()
    per_position = torch.nn.functional.max_pool2d(difference, 4) > 0
    assert extent(per_position) == square(10, 11, network.reach)


def extent(changed: Tensor) -> tuple[int, int, int, int]:
    """First and last row, first and last column with any change in (1, C, h, w)."""
    rows, columns = torch.nonzero(changed.any(1)[0]).unbind(1)
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def square(row: int, column: int, reach: int) -> tuple[int, int, int, int]:
    return row - reach, row + reach, column - reach, column + reach


def test_dense_networks_invert_each_others_shapes_and_scale() -> None:
    torch.manual_seed(0)
    shape = {"height": 5, "width": 7, "hidden": 11, "latent_dim": 3, "positions": 2}
    analysis, synthesis = DenseAnalysis(1, **shape), DenseSynthesis(1, **shape)
    x = torch.rand(4, 1, 5, 7)
    with torch.no_grad():
        latent = analysis(x)
        pixels = synthesis(latent)
        assert latent.shape == (4, 3, 2)
        assert pixels.shape == x.shape
        analysis.scale.fill_(2.0)
        synthesis.scale.fill_(2.0)
        torch.testing.assert_close(analysis(x), latent / 2)
        torch.testing.assert_close(synthesis(analysis(x)), pixels)
