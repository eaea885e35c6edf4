"""The fully connected transform: shapes, scale, unit."""

import pytest
import torch

from vqcodec.transforms.dense import DenseTransform


@pytest.fixture
def transform() -> DenseTransform:
    torch.manual_seed(0)
    return DenseTransform(
        1, extent=(5, 7), count=2, latent_dim=3, analysis_hidden=11, synthesis_hidden=13
    )


@torch.no_grad()
def test_networks_invert_each_others_shapes_and_scale(transform: DenseTransform) -> None:
    x = torch.rand(4, 1, 5, 7)
    latent = transform.analyse(x)
    samples = transform.synthesise(latent)
    assert latent.shape == (4, 3, 2)
    assert samples.shape == x.shape
    transform.analysis.scale.fill_(2.0)
    transform.synthesis.scale.fill_(2.0)
    torch.testing.assert_close(transform.analyse(x), latent / 2)
    torch.testing.assert_close(transform.synthesise(transform.analyse(x)), samples)


@torch.no_grad()
def test_a_started_transform_has_a_latent_of_unit_mean_square(transform: DenseTransform) -> None:
    x = torch.rand(64, 1, 5, 7)
    transform.start(x)
    assert float(transform.analyse(x).square().mean()) == pytest.approx(1, rel=1e-4)
    assert transform.unit == pytest.approx(6 / 35 * float(transform.synthesis.scale) ** 2)
    assert transform.analysis_reach is transform.synthesis_reach is None
