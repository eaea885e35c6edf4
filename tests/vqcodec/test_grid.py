"""Positions and regions: every position in exactly one region, in the order of chunks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.grid import count_regions, cover, cut, inside, lengths, stretch, widen

SIDES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 17)), min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("positions", "side", "starts"),
    [
        ((1, 1), (128, 128), [(0, 0)]),
        ((138, 5), (128, 128), [(0, 0), (128, 0)]),
        ((129, 256), (128, 128), [(0, 0), (0, 128), (128, 0), (128, 128)]),
        ((9,), (4,), [(0,), (4,), (8,)]),
        ((2, 1, 5), (1, 4, 4), [(0, 0, 0), (0, 0, 4), (1, 0, 0), (1, 0, 4)]),
    ],
)
def test_regions_follow_row_by_row(
    positions: tuple[int, ...], side: tuple[int, ...], starts: list[tuple[int, ...]]
) -> None:
    assert [tuple(part.start for part in region) for region in cut(positions, side)] == starts


@given(SIDES)
@settings(deadline=None)
def test_regions_cover_every_position_once(sides: list[tuple[int, int]]) -> None:
    positions, side = zip(*sides, strict=True)
    seen = np.zeros(positions, np.int64)
    regions = list(cut(positions, side))
    for region in regions:
        seen[region] += 1
        assert all(0 < n <= most for n, most in zip(lengths(region), side, strict=True))
    assert (seen == 1).all()
    assert len(regions) == count_regions(positions, side)


@given(SIDES, st.integers(0, 9))
@settings(deadline=None)
def test_a_region_lies_where_it_is_said_to_within_its_context(
    sides: list[tuple[int, int]], reach: int
) -> None:
    positions, side = zip(*sides, strict=True)
    numbers = np.arange(math.prod(positions)).reshape(positions)
    for region in cut(positions, side):
        outer = widen(region, reach, positions)
        assert np.array_equal(numbers[outer][inside(region, outer)], numbers[region])


@given(st.integers(1, 10**6), st.integers(1, 999))
def test_positions_cover_the_extent_and_no_more(length: int, stride: int) -> None:
    (positions,) = cover((length,), (stride,))
    assert (positions - 1) * stride < length <= positions * stride


def test_a_region_stands_for_its_samples() -> None:
    assert stretch((slice(2, 5), slice(0, 1)), (8, 3)) == (slice(16, 40), slice(0, 3))
