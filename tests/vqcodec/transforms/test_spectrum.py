"""The lapped transform against its definition, and companding against its inverse."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec.transforms.spectrum import compand, expand, lap, unlap


def by_definition(
    x: NDArray[np.float64], size: int, overlap: int, block: int
) -> NDArray[np.float64]:
    """Frequencies of an inner block: a window of two blocks times cosines, summed up.

    The window rises over `overlap` samples around the block's first border and falls likewise
    around its last one; the cosines begin at the first border.
    """
    half = overlap / 2
    n = np.arange(2 * size) - size // 2 + 0.5
    rise = np.sin(np.pi / 2 * np.clip((n + half) / overlap, 0, 1)) if overlap else 1.0 * (n > 0)
    fall = (
        np.cos(np.pi / 2 * np.clip((n - size + half) / overlap, 0, 1))
        if overlap
        else 1.0 * (n < size)
    )
    first = block * size - size // 2
    seen = x[first : first + 2 * size] * rise * fall
    k = np.arange(size)[:, None] + 0.5
    found: NDArray[np.float64] = np.sqrt(2 / size) * (np.cos(np.pi / size * n * k) * seen).sum(1)
    return found


@pytest.mark.parametrize(("size", "overlap"), [(20, 20), (20, 8), (21, 20), (7, 2), (6, 0)])
def test_an_inner_block_is_what_the_definition_says(size: int, overlap: int) -> None:
    x = np.random.default_rng(size).standard_normal(6 * size)
    found = lap(torch.from_numpy(x).float()[None, None], size, overlap)
    assert found.shape == (1, size, 6)
    for block in (1, 2, 4):
        wanted = by_definition(x, size, overlap, block)
        np.testing.assert_allclose(found[0, :, block].numpy(), wanted, atol=2e-5)


@pytest.mark.parametrize("blocks", [1, 2, 3, 5])
@pytest.mark.parametrize(("size", "overlap"), [(20, 20), (21, 20), (480, 240), (7, 0), (1, 0)])
def test_it_is_orthonormal_from_end_to_end(blocks: int, size: int, overlap: int) -> None:
    x = torch.randn(2, 3, blocks * size, generator=torch.Generator().manual_seed(blocks))
    found = lap(x, size, overlap)
    assert found.shape == (2, 3 * size, blocks)
    torch.testing.assert_close(found.square().sum(), x.square().sum(), rtol=1e-5, atol=0)
    torch.testing.assert_close(unlap(found, size, overlap), x, rtol=0, atol=1e-5)


def test_channels_do_not_mix() -> None:
    x = torch.randn(1, 2, 60)
    both = lap(x, 20, 20)
    for channel in (0, 1):
        alone = lap(x[:, channel : channel + 1], 20, 20)
        mine = both[:, 20 * channel : 20 * channel + 20]
        torch.testing.assert_close(mine, alone, rtol=0, atol=1e-6)


def test_a_sine_is_few_frequencies() -> None:
    """What the wrong sign of an overlap spoils, while everything else stays orthonormal."""
    sine = (0.3 * torch.arange(4800.0)).sin()[None, None]
    energies = lap(sine, 480, 480)[0, :, 5].square().sort(descending=True).values
    assert float(energies[:4].sum() / energies.sum()) > 0.999


@pytest.mark.parametrize("power", [0.3, 0.5, 0.75, 1.0])
def test_companding_comes_back(power: float) -> None:
    x = torch.tensor([0.0, 1e-6, -3e-4, 0.02, -1.0, 7.0, -60.0])
    y = compand(x, power)
    assert torch.equal(y.sign(), x.sign())
    assert bool((y.abs().diff(dim=0)[1:] > 0).all())
    torch.testing.assert_close(expand(y, power), x, rtol=1e-4, atol=1e-6)


def test_companding_is_its_formula_and_has_a_slope_at_zero() -> None:
    x = torch.tensor([0.0, 0.3], requires_grad=True)
    y = compand(x, 0.5)
    assert float(y[1].detach()) == pytest.approx(0.31**0.5 - 0.01**0.5, rel=1e-5)
    y.sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert bool(x.grad.isfinite().all())
