"""What a quality means: from one stage at a high price to all of them for nothing."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.errors import InputError
from vqcodec.rate.quality import SearchPlan, plan_search

ENERGIES = (0.16, 0.08, 0.04, 0.02, 0.01)

qualities = st.floats(0, 100)
weights = st.floats(0, 30)


def depth(plan: SearchPlan) -> float:
    return plan.stages - 1 + plan.last_share


@given(quality=qualities, mu=weights, stages=st.integers(1, 64))
@settings(deadline=None, max_examples=200)
def test_plan_is_possible(quality: float, mu: float, stages: int) -> None:
    plan = plan_search(quality, [0.5**stage for stage in range(stages)], mu)
    assert 1 <= plan.stages <= stages
    assert 0 < plan.last_share <= 1
    assert 0 <= plan.price < math.inf


@given(first=qualities, second=qualities, mu=weights)
@settings(deadline=None, max_examples=200)
def test_more_quality_is_never_less(first: float, second: float, mu: float) -> None:
    low, high = (plan_search(quality, ENERGIES, mu) for quality in sorted((first, second)))
    assert depth(low) <= depth(high) + 1e-9
    assert low.price >= high.price * (1 - 1e-9)


@given(quality=st.floats(0, 99.9), mu=st.floats(0.1, 30))
@settings(deadline=None, max_examples=200)
def test_nothing_moves_in_steps(quality: float, mu: float) -> None:
    """A thousandth of the way changes the depth by little, and the price by a few per cent."""
    here, there = (plan_search(q, ENERGIES, mu) for q in (quality, quality + 0.1))
    assert depth(there) - depth(here) < 0.05
    if quality < 90:
        assert 0.85 * here.price <= there.price <= here.price * (1 + 1e-9)


@pytest.mark.parametrize("mu", [0.0, 0.5, 1.0, 6.0, 20.0])
@pytest.mark.parametrize("stages", [1, 2, 5])
def test_ends(stages: int, mu: float) -> None:
    lowest, highest = (plan_search(q, ENERGIES[:stages], mu) for q in (0, 100))
    assert (lowest.stages, lowest.last_share) == (1, 1.0)
    assert lowest.price == pytest.approx(2 * math.log(2) * 0.16 * (max(mu, 40) if mu else 0))
    assert highest == SearchPlan(stages, 1.0, 0.0)


@pytest.mark.parametrize("mu", [0.5, 1.0, 6.0])
def test_a_stage_begins_at_its_price(mu: float) -> None:
    """Wherever a stage is whole, the price is `mu` times the slope at what the stage leaves."""
    plans = [plan_search(quality, ENERGIES, mu) for quality in range(5, 90)]
    for plan in plans:
        if plan.stages == len(ENERGIES) and plan.last_share == 1:
            continue
        # Halfway from stage to stage the energy is halfway too, in its logarithm.
        energy = 0.16 * 2.0 ** -(depth(plan) - 1)
        assert plan.price == pytest.approx(mu * 2 * math.log(2) * energy)
    assert {plan.stages for plan in plans} == {1, 2, 3, 4, 5}


def test_stages_that_leave_the_same_share_a_price() -> None:
    plans = [plan_search(quality, (0.5, 0.5, 0.25), 1.0) for quality in range(0, 101, 5)]
    assert [plan.stages for plan in plans] == sorted(plan.stages for plan in plans)


def test_nothing_left_to_code() -> None:
    for quality in (0, 50, 100):
        plan = plan_search(quality, (0.0, 0.0), 1.0)
        assert plan.price < 1e-7


@pytest.mark.parametrize("quality", [-0.001, 100.001, math.nan, math.inf, -math.inf])
def test_no_quality(quality: float) -> None:
    with pytest.raises(InputError, match="0 to 100"):
        plan_search(quality, ENERGIES, 1.0)
