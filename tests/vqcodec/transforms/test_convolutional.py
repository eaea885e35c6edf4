"""The convolutional transform on one, two and three axes: its start, its reach, its patches."""

import itertools
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vqcodec.grid import Region
from vqcodec.transforms.base import Transform
from vqcodec.transforms.convolutional import ConvolutionalTransform, principal_components

AXES = [1, 2, 3]


@pytest.fixture
def smooth() -> Tensor:
    """Correlated noise like a photograph, float (4, 3, 48, 64) in [0, 1]."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(4, 3, 54, 70, generator=generator)
    return functional.avg_pool2d(noise, 7, 1).mul(3).sub(1).clamp(0, 1)


def smooth_on(axes: int) -> Tensor:
    """The like on any number of axes: float (4, 3, *extent) in [0, 1]."""
    generator = torch.Generator().manual_seed(axes)
    extent = {1: (96,), 2: (24, 32), 3: (8, 12, 16)}[axes]
    noise = torch.rand(4, 3, *(length + 2 for length in extent), generator=generator)
    pool = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}[axes]
    smoothed: Tensor = pool(noise, 3, 1)
    return smoothed.clamp(0, 1)


def small(
    *, stride: tuple[int, ...] = (4, 4), latent_dim: int = 12, depth: int = 1
) -> ConvolutionalTransform:
    return ConvolutionalTransform(
        3,
        stride=stride,
        latent_dim=latent_dim,
        analysis_width=8,
        analysis_depth=depth,
        synthesis_width=8,
        synthesis_depth=depth + 1,
    )


def rows_of(samples: Tensor, stride: tuple[int, ...]) -> Tensor:
    """Rows of centred patches, float64, cut out one by one."""
    grid = [length // step for length, step in zip(samples.shape[2:], stride, strict=True)]
    rows = []
    for item in samples.double() - 0.5:
        for place in itertools.product(*map(range, grid)):
            part = [slice(p * s, p * s + s) for p, s in zip(place, stride, strict=True)]
            rows.append(item[:, *part].flatten())
    return torch.stack(rows)


@torch.no_grad()
def silence(transform: Transform) -> None:
    """Let the networks beside the linear path say nothing."""
    for parameter in transform.parameters():
        parameter.zero_()


@pytest.mark.parametrize("stride", [2, 4, 8])
@pytest.mark.parametrize("kept", [1, 5, 12])
def test_principal_components_are_those_of_the_patches(
    smooth: Tensor, stride: int, kept: int
) -> None:
    basis, scale = principal_components(smooth, (stride, stride), kept)
    torch.testing.assert_close(basis @ basis.T, torch.eye(kept), atol=1e-5, rtol=0)
    rows = rows_of(smooth, (stride, stride))
    # The best approximation of rank `kept` is that of the singular values (Eckart and Young).
    _, values, _ = torch.linalg.svd(rows, full_matrices=False)
    left = (rows - rows @ basis.double().T @ basis.double()).square().sum()
    torch.testing.assert_close(left, values[kept:].square().sum(), rtol=1e-4, atol=1e-6)
    unit = (rows @ basis.double().T).square().mean().sqrt()
    torch.testing.assert_close(scale.double(), unit, rtol=1e-5, atol=0)


@pytest.mark.parametrize("axes", AXES)
def test_a_started_transform_has_a_latent_of_unit_mean_square(axes: int) -> None:
    samples, transform = smooth_on(axes), small(stride=(4,) * axes)
    transform.start(samples)
    latent = transform.analyse(samples).detach()
    assert latent.shape == (4, 12, *(length // 4 for length in samples.shape[2:]))
    assert float(latent.square().mean()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("axes", AXES)
@torch.no_grad()
def test_a_started_transform_without_networks_is_the_klt(axes: int) -> None:
    samples, stride = smooth_on(axes), (4,) * axes
    transform = small(stride=stride)
    transform.start(samples)
    silence(transform)
    rows = rows_of(samples, stride)
    basis, scale = principal_components(samples, stride, 12)
    latent = transform.analyse(samples)
    wanted = rows @ basis.double().T / scale
    found = latent.movedim(1, -1).reshape(-1, 12).double()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    projected = rows @ basis.double().T @ basis.double()
    output = transform.synthesise(latent)
    assert output.shape == samples.shape
    torch.testing.assert_close(rows_of(output, stride), projected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_an_untrained_network_nearly_reproduces_the_klt(smooth: Tensor) -> None:
    torch.manual_seed(0)
    transform = small()
    transform.start(smooth)
    basis, _ = principal_components(smooth, (4, 4), 12)
    rows = rows_of(smooth, (4, 4))
    ideal = (rows - rows @ basis.double().T @ basis.double()).square().mean()
    error = (transform.synthesise(transform.analyse(smooth)) - smooth).square().mean()
    signal = (smooth - smooth.mean()).square().mean()
    assert ideal < error < ideal + 0.02 * signal


@pytest.mark.parametrize("stride", [(4,), (2, 2), (1, 2, 2)])
@torch.no_grad()
def test_a_full_basis_loses_nothing(stride: tuple[int, ...]) -> None:
    samples = smooth_on(len(stride))
    transform = small(stride=stride, latent_dim=12)
    transform.start(samples)
    silence(transform)
    output = transform.synthesise(transform.analyse(samples))
    torch.testing.assert_close(output, samples, atol=2e-6, rtol=0)


@pytest.mark.parametrize("stride", [(4,), (4, 2), (1, 2, 3)])
@torch.no_grad()
def test_the_unit_is_what_an_error_of_the_latent_costs(stride: tuple[int, ...]) -> None:
    transform = small(stride=stride, latent_dim=3)
    samples = torch.rand(2, 3, *(5 * step for step in stride))
    transform.start(samples)
    silence(transform)
    latent = torch.randn(2, 3, *[5] * len(stride))
    noise = torch.randn_like(latent)
    moved = transform.synthesise(latent + noise) - transform.synthesise(latent)
    wanted = transform.unit * float(noise.square().mean())
    assert float(moved.square().mean()) == pytest.approx(wanted, rel=1e-4)


def test_a_constant_signal_has_a_finite_start() -> None:
    transform = small()
    grey = torch.full((1, 3, 16, 16), 0.5)
    transform.start(grey)
    assert bool(transform.analyse(grey).isfinite().all())


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("depth", [0, 1, 2])
@torch.no_grad()
def test_a_sample_is_felt_within_reach_and_not_beyond(axes: int, depth: int) -> None:
    torch.manual_seed(depth)
    transform = small(stride=(2,) * axes, latent_dim=5, depth=depth)
    grid, middle = (21, 19, 17)[:axes], (10, 9, 8)[:axes]
    x = torch.rand(1, 3, *(2 * length for length in grid))
    y = x.clone()
    y[(0, 1, *(2 * place + 1 for place in middle))] += 10
    changed = transform.analyse(x) != transform.analyse(y)
    assert box_of(changed) == around(middle, transform.analysis_reach)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("depth", [0, 1, 2])
@torch.no_grad()
def test_a_code_is_felt_within_reach_and_not_beyond(axes: int, depth: int) -> None:
    torch.manual_seed(depth)
    transform = small(stride=(2,) * axes, latent_dim=5, depth=depth)
    grid, middle = (21, 19, 17)[:axes], (10, 9, 8)[:axes]
    x = torch.rand(1, 5, *grid)
    y = x.clone()
    y[(0, 2, *middle)] += 1000
    changed = (transform.synthesise(x) != transform.synthesise(y)).any(1)[0]
    blocks = changed.reshape([n for length in grid for n in (length, 2)])
    per_position = blocks.permute(*range(0, 2 * axes, 2), *range(1, 2 * axes, 2))
    felt = per_position.reshape(*grid, 2**axes).any(-1)
    assert box_of(felt[None, None]) == around(middle, transform.synthesis_reach)


def box_of(changed: Tensor) -> Region:
    """The smallest region with every change in (1, C, *grid)."""
    places = torch.nonzero(changed.any(1)[0])
    first, last = places.min(0).values.tolist(), places.max(0).values.tolist()
    return tuple(slice(low, high + 1) for low, high in zip(first, last, strict=True))


def around(middle: tuple[int, ...], reach: int | None) -> Region:
    assert reach is not None
    return tuple(slice(place - reach, place + reach + 1) for place in middle)


def test_the_networks_are_local_on_every_axis_alone() -> None:
    """A stride of each axis' own: what is asked of patches is asked of each axis."""
    transform = small(stride=(2, 4, 8), latent_dim=7)
    samples = torch.rand(1, 3, 4, 8, 24)
    latent = transform.analyse(samples)
    assert latent.shape == (1, 7, 2, 2, 3)
    assert transform.synthesise(latent).shape == samples.shape
    assert math.prod(transform.stride) == 64
