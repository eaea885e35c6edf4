"""What a quality means: from one stage to all of them, without steps."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.errors import InputError
from vqcodec.quality import plan_search

qualities = st.floats(0, 100)


def depth(quality: float, stages: int) -> float:
    plan = plan_search(quality, stages)
    return plan.stages - 1 + plan.last_share


@given(quality=qualities, stages=st.integers(1, 64))
@settings(deadline=None, max_examples=200)
def test_plan_is_possible(quality: float, stages: int) -> None:
    plan = plan_search(quality, stages)
    assert 1 <= plan.stages <= stages
    assert 0 < plan.last_share <= 1


@given(first=qualities, second=qualities, stages=st.integers(1, 64))
@settings(deadline=None, max_examples=200)
def test_more_quality_is_never_less(first: float, second: float, stages: int) -> None:
    low, high = sorted((first, second))
    assert depth(low, stages) <= depth(high, stages) + 1e-9


@pytest.mark.parametrize("stages", [1, 2, 7, 12, 64])
def test_ends_and_whole_numbers_of_stages(stages: int) -> None:
    assert plan_search(0, stages).stages == 1
    assert plan_search(100, stages).stages == stages
    for whole in range(1, stages + 1):
        quality = 100 * (whole - 1) / max(1, stages - 1)
        plan = plan_search(quality, stages)
        assert plan.stages == whole
        assert plan.last_share == pytest.approx(1, abs=1e-9)


def test_middle_of_twelve_stages() -> None:
    plan = plan_search(50, 12)
    assert (plan.stages, plan.last_share) == (7, 0.5)


@pytest.mark.parametrize("quality", [-0.001, 100.001, math.nan, math.inf, -math.inf])
def test_no_quality(quality: float) -> None:
    with pytest.raises(InputError, match="0 to 100"):
        plan_search(quality, 12)
