"""A large picture tile by tile: the same numbers as in one go."""

import pytest
import torch
from torch import Tensor

from vqcodec.transforms.convolutional import ConvolutionalAnalysis, ConvolutionalSynthesis
from vqcodec.transforms.tiled import apply_tiled

# Positions: 1 x 1, 7 x 5 and so on, with tiles of 16 positions.
GRIDS = [(1, 1), (7, 5), (16, 16), (17, 16), (16, 33), (1, 129), (129, 2), (35, 50)]
SIDE = 16
# A convolution may add its terms in another order when its input has another shape, so what is
# asserted for floats is that no difference is larger than rounding: a tile with too little
# context is off by a thousand times as much.
ROUNDING = 2e-6


@pytest.fixture(scope="module")
def analysis() -> ConvolutionalAnalysis:
    torch.manual_seed(0)
    network = ConvolutionalAnalysis(3, stride=4, width=8, depth=1, latent_dim=6)
    torch.nn.init.normal_(network.leave.weight, std=0.2)
    return network.requires_grad_(False)


@pytest.fixture(scope="module")
def synthesis() -> ConvolutionalSynthesis:
    torch.manual_seed(0)
    network = ConvolutionalSynthesis(3, stride=4, width=8, depth=2, latent_dim=6)
    torch.nn.init.normal_(network.leave.weight, std=0.2)
    return network.requires_grad_(False)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_tiled_analysis_is_the_whole(
    analysis: ConvolutionalAnalysis, grid: tuple[int, int]
) -> None:
    x = torch.rand(2, 3, grid[0] * 4, grid[1] * 4)
    tiled = apply_tiled(analysis, x, grid=grid, side=SIDE, reach=analysis.reach)
    torch.testing.assert_close(tiled, analysis(x), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_tiled_synthesis_is_the_whole(
    synthesis: ConvolutionalSynthesis, grid: tuple[int, int]
) -> None:
    x = torch.randn(2, 6, *grid)
    tiled = apply_tiled(synthesis, x, grid=grid, side=SIDE, reach=synthesis.reach)
    torch.testing.assert_close(tiled, synthesis(x), rtol=0, atol=ROUNDING)


def box(x: Tensor) -> Tensor:
    """A sum over 5 x 5 neighbours of integers: exact, and sensitive to any missing one."""
    return torch.nn.functional.conv2d(x, torch.ones(1, 1, 5, 5, dtype=x.dtype), padding=2)


@pytest.mark.parametrize("grid", [*GRIDS, (1025, 9)], ids=str)
@pytest.mark.parametrize("reach", [2, 3])
def test_exact_arithmetic_gives_exactly_the_whole(grid: tuple[int, int], reach: int) -> None:
    x = torch.randint(-9, 9, (1, 1, *grid)).double()
    tiled = apply_tiled(box, x, grid=grid, side=SIDE, reach=reach)
    assert torch.equal(tiled, box(x))


def test_too_little_context_would_be_seen() -> None:
    x = torch.randint(1, 9, (1, 1, 40, 40)).double()
    tiled = apply_tiled(box, x, grid=(40, 40), side=SIDE, reach=1)
    assert not torch.equal(tiled, box(x))


def test_no_tile_is_larger_than_its_side_and_context() -> None:
    seen = []

    def watch(x: Tensor) -> Tensor:
        seen.append(tuple(x.shape[2:]))
        return x

    x = torch.rand(1, 1, 3 * 50, 3 * 21)
    assert torch.equal(apply_tiled(watch, x, grid=(50, 21), side=16, reach=2), x)
    assert max(max(shape) for shape in seen) <= 3 * (16 + 2 * 2)
    assert len(seen) == 4 * 2
