from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.training.order import tree_order


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 70),
    dimensions=st.integers(1, 5),
    levels=st.sampled_from([0, 3]),
)
def test_order_is_a_permutation_that_keeps_code_zero(
    seed: int, size: int, dimensions: int, levels: int
) -> None:
    vectors = np.random.default_rng(seed).normal(size=(size, dimensions))
    # With few levels, many codes fall together.
    vectors = np.round(vectors * levels) if levels else vectors
    order = tree_order(vectors)
    np.testing.assert_array_equal(np.sort(order), np.arange(size))
    assert order[0] == 0
    np.testing.assert_array_equal(order, tree_order(vectors.copy()))


@pytest.mark.parametrize("size", [2, 7, 8, 13, 64])
def test_points_on_a_line_are_sorted_along_it(size: int) -> None:
    places = np.random.default_rng(size).permutation(size)
    line = places[:, None] * np.array([[1.0, -2.0, 0.5]]) + 3
    np.testing.assert_array_equal(places[tree_order(line, fixed_zero=False)], np.arange(size)[::-1])


def test_zero_code_in_the_middle_of_a_line_goes_first() -> None:
    line = np.array([[0.0], [-3], [-2], [-1], [1], [2], [3], [4]])
    order = tree_order(line)
    assert order[0] == 0
    # The lower half is still one half of the line.
    assert set(order[:4]) == {0, 1, 2, 3}
    assert set(order[:2]) == {0, 3}


def test_leading_bits_tell_where_a_code_is() -> None:
    vectors = np.random.default_rng(1).normal(size=(200, 4)) * [4, 2, 1, 0.5]
    ordered = vectors[tree_order(vectors)]
    whole = ((vectors - vectors.mean(axis=0)) ** 2).sum()
    spread = [
        sum(((g - g.mean(axis=0)) ** 2).sum() for g in np.split(ordered, range(step, 200, step)))
        for step in (128, 64, 32, 16)
    ]
    assert spread[0] < 0.75 * whole
    assert all(finer < 0.8 * coarser for coarser, finer in pairwise(spread))


def test_bad_vectors_are_refused() -> None:
    for vectors in (np.zeros(3), np.zeros((0, 3)), np.array([[np.nan, 0]])):
        with pytest.raises(ValueError, match="vectors"):
            tree_order(vectors)
