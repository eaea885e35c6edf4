"""Reading curves off and the Bjontegaard difference, against SciPy and closed forms."""

import math

import numpy as np
import pytest

from vqcodec.evaluation import bd_rate, value_at

JPEG = ([0.14, 0.21, 0.31, 0.45, 0.70, 1.1], [23.9, 25.8, 27.6, 29.1, 31.2, 33.6])
WEBP = ([0.10, 0.17, 0.28, 0.47, 0.93], [25.1, 27.2, 28.9, 31.3, 34.4])


def independent_bd_rate(
    rates: list[float], values: list[float], other_rates: list[float], other_values: list[float]
) -> float:
    """SciPy's interpolator, integrated by its own adaptive quadrature."""
    from scipy.integrate import quad
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(values, np.log(rates))
    reference = PchipInterpolator(other_values, np.log(other_rates))
    low, high = max(values[0], other_values[0]), min(values[-1], other_values[-1])
    area, _ = quad(lambda q: float(curve(q) - reference(q)), low, high, limit=500, epsabs=1e-12)
    return float(np.expm1(area / (high - low)) * 100)


def test_bd_rate_equals_an_independent_calculation() -> None:
    ours = bd_rate(*WEBP, reference_rates=JPEG[0], reference_values=JPEG[1])
    assert ours is not None
    assert ours.percent == pytest.approx(independent_bd_rate(*WEBP, *JPEG), abs=1e-6)
    assert -45 < ours.percent < -25
    assert (ours.low, ours.high) == (25.1, 33.6)
    assert ours.overlap == pytest.approx((33.6 - 25.1) / (34.4 - 25.1))


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.7])
def test_scaling_every_rate_is_exactly_that_difference(factor: float) -> None:
    scaled = [rate * factor for rate in JPEG[0]]
    result = bd_rate(scaled, JPEG[1], reference_rates=JPEG[0], reference_values=JPEG[1])
    assert result is not None
    assert result.percent == pytest.approx(100 * (factor - 1), abs=1e-9)
    assert result.overlap == pytest.approx(1)


def test_swapping_the_curves_inverts_the_ratio() -> None:
    one = bd_rate(*WEBP, reference_rates=JPEG[0], reference_values=JPEG[1])
    other = bd_rate(*JPEG, reference_rates=WEBP[0], reference_values=WEBP[1])
    assert one is not None
    assert other is not None
    assert (1 + one.percent / 100) * (1 + other.percent / 100) == pytest.approx(1, abs=1e-12)


def test_order_of_points_does_not_matter() -> None:
    shuffled = [WEBP[0][i] for i in (3, 0, 4, 1, 2)], [WEBP[1][i] for i in (3, 0, 4, 1, 2)]
    assert bd_rate(*shuffled, reference_rates=JPEG[0], reference_values=JPEG[1]) == bd_rate(
        *WEBP, reference_rates=JPEG[0], reference_values=JPEG[1]
    )


def test_points_that_cost_more_and_give_less_are_left_out() -> None:
    worse = [*WEBP[0], 0.3, math.inf], [*WEBP[1], 27.0, math.inf]
    assert bd_rate(*worse, reference_rates=JPEG[0], reference_values=JPEG[1]) == bd_rate(
        *WEBP, reference_rates=JPEG[0], reference_values=JPEG[1]
    )


def test_curves_without_common_quality_have_no_difference() -> None:
    above = [value + 30 for value in JPEG[1]]
    assert bd_rate(JPEG[0], above, reference_rates=JPEG[0], reference_values=JPEG[1]) is None
    assert bd_rate([0.1], [30.0], reference_rates=JPEG[0], reference_values=JPEG[1]) is None


def test_value_at_equals_scipy_between_points_and_the_points_themselves() -> None:
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(np.log(JPEG[0]), JPEG[1])
    for rate in np.geomspace(JPEG[0][0], JPEG[0][-1], 41)[1:-1]:
        expected = float(curve(math.log(rate)))
        assert value_at(float(rate), *JPEG) == pytest.approx(expected, abs=1e-9)
    for rate, value in zip(*JPEG, strict=True):
        assert value_at(rate, *JPEG) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("values", [[3.0, 1.0, 4.0, 1.0, 5.0], [0.0, 0.0, 1.0, 1.0, 0.0]])
def test_value_at_equals_scipy_for_data_that_turn(values: list[float]) -> None:
    from scipy.interpolate import PchipInterpolator

    rates = [0.1, 0.15, 0.4, 0.5, 0.9]
    curve = PchipInterpolator(np.log(rates), values)
    for rate in np.geomspace(0.101, 0.899, 37):
        expected = float(curve(math.log(rate)))
        assert value_at(float(rate), rates, values) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rate", [0.139, 1.11])
def test_nothing_is_extrapolated(rate: float) -> None:
    assert value_at(rate, *JPEG) is None


def test_of_several_points_at_one_rate_the_best_counts() -> None:
    assert value_at(0.2, [0.2, 0.2, 0.4], [10.0, 20.0, 30.0]) == pytest.approx(20.0)
    assert value_at(0.2, [0.2, 0.2], [10.0, 20.0]) is None
