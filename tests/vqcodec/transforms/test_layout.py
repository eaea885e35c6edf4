"""Patches as channels: in the plane `pixel_unshuffle` bit for bit, on any axes the patches."""

import itertools

import pytest
import torch
from torch.nn import functional

from vqcodec.transforms.layout import channels_last, from_patches, to_patches


@pytest.mark.parametrize("side", [1, 2, 3, 8])
@pytest.mark.parametrize("grid", [(1, 1), (3, 5), (7, 2)])
@pytest.mark.parametrize("last", [False, True])
def test_in_the_plane_they_are_pixel_unshuffle(
    side: int, grid: tuple[int, int], last: bool
) -> None:
    x = torch.randn(2, 3, grid[0] * side, grid[1] * side)
    x = channels_last(x) if last else x
    patches = to_patches(x, (side, side))
    assert torch.equal(patches, functional.pixel_unshuffle(x, side))
    assert torch.equal(from_patches(patches, (side, side)), x)
    assert torch.equal(from_patches(patches, (side, side)), functional.pixel_shuffle(patches, side))


@pytest.mark.parametrize(
    ("stride", "grid"), [((5,), (4,)), ((2, 3), (3, 2)), ((2, 1, 4), (2, 3, 2))]
)
def test_a_position_holds_its_patch(stride: tuple[int, ...], grid: tuple[int, ...]) -> None:
    extent = [n * step for n, step in zip(grid, stride, strict=True)]
    x = torch.randn(2, 3, *extent)
    patches = to_patches(x, stride)
    assert torch.equal(from_patches(patches, stride), x)
    for number, place in enumerate(itertools.product(*map(range, grid))):
        part = [slice(p * step, (p + 1) * step) for p, step in zip(place, stride, strict=True)]
        assert torch.equal(patches.flatten(2)[:, :, number], x[:, :, *part].flatten(1))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_layout_changes_no_value(axes: int) -> None:
    x = torch.randn(2, 3, *(4, 5, 6)[:axes])
    y = channels_last(x)
    assert torch.equal(x, y)
    assert axes == 1 or y.stride(1) == 1
