"""The learning rate's course, and how often which rate is coded at."""

import dataclasses
from collections import Counter

import pytest

from vqcodec.media.picture.recipes import RECIPES
from vqcodec.training.schedule import draw_rate, learning_rate
from vqcodec.training.state import TrainingState

RECIPE = dataclasses.replace(
    RECIPES["photo"], warmup=100, learning_rate=2e-3, truncated=0.6, mu=3.0
)
STAGES = RECIPE.model.quantizer.stages


@pytest.mark.parametrize(
    ("steps", "share", "part"),
    [(0, 0.0, 0.01), (49, 0.0, 0.5), (1000, 0.0, 1.0), (1000, 0.5, 0.505), (1000, 1.0, 0.01)],
)
def test_the_learning_rate_rises_and_falls(steps: int, share: float, part: float) -> None:
    for scale in (1.0, 0.5):
        state = TrainingState(steps=steps, rate_scale=scale)
        assert learning_rate(RECIPE, state, share) == pytest.approx(2e-3 * scale * part)


def test_rates_are_drawn_as_often_as_the_recipe_says() -> None:
    drawn = [draw_rate(RECIPE, step) for step in range(4000)]
    full = [mu for mu, stages in drawn if stages == STAGES]
    assert 1 - len(full) / len(drawn) == pytest.approx(0.6, abs=0.03)
    # Half of the full ones for distortion alone, the others evenly below mu.
    priced = [mu for mu in full if mu > 0]
    assert len(priced) / len(full) == pytest.approx(0.5, abs=0.05)
    assert max(full) < 3.0
    assert sum(priced) / len(priced) == pytest.approx(1.5, abs=0.1)
    counts = Counter(stages for mu, stages in drawn if stages < STAGES)
    assert {mu for mu, stages in drawn if stages < STAGES} == {3.0}
    assert set(counts) == set(range(1, STAGES))
    # u^1.5 (S - 1) < 1 for u below (S - 1)^(-2/3).
    assert counts[1] / sum(counts.values()) == pytest.approx((STAGES - 1) ** (-2 / 3), abs=0.03)


def test_the_same_step_is_drawn_the_same_everywhere() -> None:
    assert [draw_rate(RECIPE, 17) for _ in range(3)] == [draw_rate(RECIPE, 17)] * 3
    one_stage = dataclasses.replace(RECIPES["digits"], mu=1.0, truncated=1.0)
    assert all(draw_rate(one_stage, step)[1] == 1 for step in range(20))
