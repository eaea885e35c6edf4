"""A large signal region by region: the same numbers as in one go, on one, two and three axes."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vqcodec.grid import Region, stretch
from vqcodec.transforms.convolutional import ConvolutionalTransform
from vqcodec.transforms.tiled import apply_tiled

# Positions: 1 x 1, 7 x 5 and so on, with regions of 16 positions a side.
GRIDS: list[tuple[int, ...]] = [
    *[(1, 1), (7, 5), (16, 16), (17, 16), (16, 33), (1, 129), (129, 2), (35, 50)],
    *[(1,), (16,), (17,), (70,), (3, 17, 5), (17, 2, 33)],
]
# A convolution may add its terms in another order when its input has another shape, so what is
# asserted for floats is that no difference is larger than rounding: a region with too little
# context is off by a thousand times as much.
ROUNDING = 2e-6


def transform_on(axes: int) -> ConvolutionalTransform:
    torch.manual_seed(0)
    transform = ConvolutionalTransform(
        3,
        stride=(4, 2, 2)[:axes],
        latent_dim=6,
        analysis_width=8,
        analysis_depth=1,
        synthesis_width=8,
        synthesis_depth=2,
    )
    for network in (transform.analysis, transform.synthesis):
        torch.nn.init.normal_(network.leave.weight, std=0.2)
    return transform.requires_grad_(False)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_tiled_analysis_is_the_whole(grid: tuple[int, ...]) -> None:
    transform = transform_on(len(grid))
    x = torch.rand(2, 3, *(n * step for n, step in zip(grid, transform.stride, strict=True)))
    side, reach = [16] * len(grid), transform.analysis_reach
    tiled = apply_tiled(transform.analyse, x, grid=grid, side=side, reach=reach)
    torch.testing.assert_close(tiled, transform.analyse(x), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_tiled_synthesis_is_the_whole(grid: tuple[int, ...]) -> None:
    transform = transform_on(len(grid))
    x = torch.randn(2, 6, *grid)
    side, reach = [16] * len(grid), transform.synthesis_reach
    tiled = apply_tiled(transform.synthesise, x, grid=grid, side=side, reach=reach)
    torch.testing.assert_close(tiled, transform.synthesise(x), rtol=0, atol=ROUNDING)


# In a corner, at one edge, in the middle with less around it than counts and with more, and all.
PIECES = [
    (slice(0, 5), slice(0, 7)),
    (slice(3, 9), slice(30, 41)),
    (slice(4, 5), slice(9, 12)),
    (slice(12, 20), slice(15, 22)),
    (slice(0, 33), slice(0, 41)),
]


@pytest.mark.parametrize("piece", PIECES, ids=str)
def test_a_piece_is_cut_out_of_the_whole(piece: Region) -> None:
    transform, grid = transform_on(2), (33, 41)
    samples, latent = torch.rand(2, 3, 4 * 33, 2 * 41), torch.randn(2, 6, *grid)
    found = transform.analyse(samples, piece=piece)
    torch.testing.assert_close(
        found, transform.analyse(samples)[:, :, *piece], rtol=0, atol=ROUNDING
    )
    found = transform.synthesise(latent, piece=piece)
    wanted = transform.synthesise(latent)[:, :, *stretch(piece, transform.stride)]
    torch.testing.assert_close(found, wanted, rtol=0, atol=ROUNDING)


def box(x: Tensor) -> Tensor:
    """A sum over five neighbours a side of integers: exact, and sensitive to any missing one."""
    axes = x.dim() - 2
    convolve = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[axes]
    summed: Tensor = convolve(x, torch.ones(1, 1, *[5] * axes, dtype=x.dtype), padding=2)
    return summed


@pytest.mark.parametrize("grid", [*GRIDS, (1025, 9)], ids=str)
@pytest.mark.parametrize("reach", [2, 3])
def test_exact_arithmetic_gives_exactly_the_whole(grid: tuple[int, ...], reach: int) -> None:
    x = torch.randint(-9, 9, (1, 1, *grid)).double()
    tiled = apply_tiled(box, x, grid=grid, side=(16, 8, 4)[: len(grid)], reach=reach)
    assert torch.equal(tiled, box(x))


@pytest.mark.parametrize("grid", [(40,), (40, 40), (9, 9, 9)], ids=str)
def test_too_little_context_would_be_seen(grid: tuple[int, ...]) -> None:
    x = torch.randint(1, 9, (1, 1, *grid)).double()
    tiled = apply_tiled(box, x, grid=grid, side=(8, 8, 8)[: len(grid)], reach=1)
    assert not torch.equal(tiled, box(x))


def test_what_depends_on_all_is_run_as_a_whole() -> None:
    x = torch.rand(1, 1, 50)
    total = apply_tiled(lambda y: y.sum() * y, x, grid=(50,), side=(8,), reach=None)
    assert torch.equal(total, x.sum() * x)


def test_no_region_is_larger_than_its_side_and_context() -> None:
    seen = []

    def watch(x: Tensor) -> Tensor:
        seen.append(tuple(x.shape[2:]))
        return x

    x = torch.rand(1, 1, 3 * 50, 2 * 21)
    assert torch.equal(apply_tiled(watch, x, grid=(50, 21), side=(16, 8), reach=2), x)
    assert max(rows for rows, _ in seen) <= 3 * (16 + 2 * 2)
    assert max(columns for _, columns in seen) <= 2 * (8 + 2 * 2)
    assert len(seen) == 4 * 3
