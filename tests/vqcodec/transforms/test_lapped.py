"""The lapped transform of one axis: its start, its reach, how far it looks ahead, its pieces."""

import pytest
import torch
from torch import Tensor

from vqcodec.transforms.lapped import LappedTransform
from vqcodec.transforms.spectrum import compand, lap
from vqcodec.transforms.tiled import apply_tiled


def small(
    *,
    channels: int = 2,
    latent_dim: int = 5,
    depth: int = 1,
    ahead: int = 1,
    power: float = 0.7,
    overlap: int = 10,
) -> LappedTransform:
    return LappedTransform(
        channels,
        size=12,
        overlap=overlap,
        power=power,
        latent_dim=latent_dim,
        analysis_width=8,
        analysis_depth=depth,
        analysis_ahead=ahead,
        synthesis_width=8,
        synthesis_depth=depth + 1,
        synthesis_ahead=ahead,
    )


def sound(blocks: int = 40, *, channels: int = 2) -> Tensor:
    """Noise that is weaker the higher it is, float (3, channels, T)."""
    generator = torch.Generator().manual_seed(blocks)
    noise = torch.randn(3, channels, 12 * blocks + 3, generator=generator)
    return 0.2 * (noise[..., 3:] + noise[..., 2:-1] + noise[..., 1:-2] + noise[..., :-3])


@torch.no_grad()
def silence(transform: LappedTransform) -> None:
    """Let the networks beside the linear path say nothing."""
    for parameter in transform.parameters():
        parameter.zero_()


def test_a_started_transform_has_a_latent_of_unit_mean_square() -> None:
    samples, transform = sound(), small()
    transform.start(samples)
    latent = transform.analyse(samples).detach()
    assert latent.shape == (3, 5, 40)
    assert float(latent.square().mean()) == pytest.approx(1, abs=0.1)
    energy = float(transform.analysis.frequencies(samples).square().mean())
    assert energy == pytest.approx(0.06, rel=0.05)


@torch.no_grad()
def test_frequencies_are_divided_by_their_levels_and_companded() -> None:
    transform = small(power=0.5)
    transform.analysis.levels.copy_(torch.linspace(0.5, 2, 12))
    found = lap(sound(), 12, 10)
    levels = torch.cat([transform.analysis.levels] * 2)[:, None]
    wanted = compand(found / levels, 0.5)
    torch.testing.assert_close(transform.analysis.frequencies(sound()), wanted)


@torch.no_grad()
def test_a_full_basis_loses_nothing() -> None:
    samples, transform = sound(), small(latent_dim=24)
    transform.start(samples)
    silence(transform)
    output = transform.synthesise(transform.analyse(samples))
    torch.testing.assert_close(output, samples, atol=1e-4, rtol=0)
    assert float(transform.error(output, samples)) < 1e-6


@torch.no_grad()
def test_the_unit_is_what_an_error_of_the_latent_costs() -> None:
    samples, transform = sound(), small(power=1.0)
    transform.start(samples)
    silence(transform)
    latent = torch.randn(2, 5, 30)
    noise = torch.randn_like(latent)
    error = transform.error(transform.synthesise(latent + noise), transform.synthesise(latent))
    wanted = transform.unit * float(noise.square().mean())
    assert float(error) == pytest.approx(wanted, rel=1e-3)


def test_silence_has_a_finite_start() -> None:
    transform = small()
    nothing = torch.zeros(1, 2, 120)
    transform.start(nothing)
    assert bool(transform.analyse(nothing).isfinite().all())


# Reach is counted for the networks of `depth` and of `depth + 1` blocks.
@pytest.mark.parametrize("overlap", [0, 10])
@pytest.mark.parametrize(("depth", "ahead"), [(0, 0), (0, 1), (1, 0), (1, 2), (2, 3), (1, 99)])
@torch.no_grad()
def test_a_sample_is_felt_within_reach_and_not_further_ahead(
    depth: int, ahead: int, overlap: int
) -> None:
    torch.manual_seed(depth)
    transform = small(depth=depth, ahead=ahead, overlap=overlap)
    x = 0.1 * torch.randn(1, 2, 12 * 41)
    first, last = 12 * 20, 12 * 21 - 1
    felt = []
    for place in (first, last):
        y = x.clone()
        y[0, 1, place] += 10
        felt += (transform.analyse(x) != transform.analyse(y)).any(1)[0].nonzero()[:, 0].tolist()
    lapped = int(overlap > 0)
    convolutions = 2 + 2 * depth
    looking = min(ahead, convolutions)
    assert min(felt) == 20 - lapped - looking
    assert max(felt) == 20 + lapped + 2 * convolutions - looking
    assert transform.analysis_reach is not None
    assert max(felt) - 20 <= transform.analysis_reach
    assert 20 - min(felt) <= transform.analysis_ahead == 1 + looking


@pytest.mark.parametrize(("depth", "ahead"), [(0, 0), (0, 1), (1, 0), (1, 2), (2, 3), (1, 99)])
@torch.no_grad()
def test_a_code_is_felt_within_reach_and_not_further_ahead(depth: int, ahead: int) -> None:
    torch.manual_seed(depth)
    transform = small(depth=depth, ahead=ahead)
    x = torch.randn(1, 5, 61)
    y = x.clone()
    y[0, 2, 30] += 100
    changed = (transform.synthesise(x) != transform.synthesise(y)).any(1)[0]
    felt = changed.reshape(61, 12).any(-1).nonzero()[:, 0].tolist()
    convolutions = 2 + 2 * (depth + 1)
    looking = min(ahead, convolutions)
    assert min(felt) == 30 - 1 - looking == 30 - transform.synthesis_ahead
    assert max(felt) == 30 + 1 + 2 * convolutions - looking
    assert transform.synthesis_reach == max(felt) - 30


@torch.no_grad()
def test_pieces_are_the_whole() -> None:
    torch.manual_seed(3)
    transform = small(depth=1, ahead=2)
    samples = sound(61)[:1]
    transform.start(samples)
    latent = transform.analyse(samples)
    for network, x, reach in (
        (transform.analyse, samples, transform.analysis_reach),
        (transform.synthesise, latent, transform.synthesis_reach),
    ):
        found = apply_tiled(network, x, grid=(61,), side=(13,), reach=reach)
        torch.testing.assert_close(found, network(x), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_half_precision_is_near() -> None:
    torch.manual_seed(1)
    transform = small(depth=2, ahead=2)
    samples = sound()
    transform.start(samples)
    wanted = transform.synthesise(transform.analyse(samples))
    transform.use_half()
    found = transform.synthesise(transform.analyse(samples))
    error = float((found - wanted).square().mean() / wanted.square().mean())
    assert 0 < error < 1e-4
