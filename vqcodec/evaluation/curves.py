"""Curves of quality over rate: reading off values, and the Bjontegaard difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BdRate", "bd_rate", "value_at"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BdRate:
    """The mean difference in rate at equal quality.

    percent: negative means fewer bits than the reference. low, high: the qualities that both
    curves reach. overlap: their share of the candidate's own range of quality, in (0, 1].
    """

    percent: float
    low: float
    high: float
    overlap: float


def value_at(rate: float, rates: Sequence[float], values: Sequence[float]) -> float | None:
    """A quality at a rate, by monotone cubic interpolation over the logarithm of the rate.

    Returns: None outside the measured rates, and for fewer than two of them; nothing is
        extrapolated.

    >>> value_at(0.2, [0.1, 0.4], [24.0, 30.0])
    27.0
    >>> value_at(0.5, [0.1, 0.4], [24.0, 30.0]) is None
    True
    """
    order = np.lexsort((values, rates))
    # Of several points at one rate the best counts.
    best = {rates[i]: values[i] for i in order if np.isfinite(values[i])}
    if len(best) < 2:
        return None
    x = np.log(np.array(list(best), dtype=np.float64))
    y = np.array(list(best.values()), dtype=np.float64)
    at = float(np.log(rate))
    # The ends count as measured although a logarithm may have moved them by a rounding.
    if not x[0] - 1e-12 <= at <= x[-1] + 1e-12:
        return None
    return float(_Pchip(x, y)(np.clip(np.array([at]), x[0], x[-1]))[0])


def bd_rate(
    rates: Sequence[float],
    values: Sequence[float],
    *,
    reference_rates: Sequence[float],
    reference_values: Sequence[float],
) -> BdRate | None:
    """How many per cent more bits a candidate needs than a reference at equal quality.

    The logarithm of the rate is interpolated over quality (PCHIP), and the difference averaged
    over the qualities that both reach (Bjontegaard 2001, with PCHIP for his cubic).

    Returns: None where the curves share no quality, or one of them has fewer than two.

    >>> half = bd_rate(
    ...     [0.1, 0.4], [24.0, 30.0], reference_rates=[0.2, 0.8], reference_values=[24.0, 30.0]
    ... )
    >>> round(half.percent, 6), half.low, half.high, half.overlap
    (-50.0, 24.0, 30.0, 1.0)
    """
    candidate = _rate_over_quality(rates, values)
    reference = _rate_over_quality(reference_rates, reference_values)
    if candidate is None or reference is None:
        return None
    low, high = max(candidate.start, reference.start), min(candidate.end, reference.end)
    if not low < high:
        return None
    mean = (candidate.integral(low, high) - reference.integral(low, high)) / (high - low)
    overlap = (high - low) / (candidate.end - candidate.start)
    return BdRate(100 * float(np.expm1(mean)), low, high, overlap)


def _rate_over_quality(rates: Sequence[float], values: Sequence[float]) -> _Pchip | None:
    log_rates = np.log(np.asarray(rates, dtype=np.float64))
    # Quality must rise with rate: a point that costs more and gives no more is never chosen.
    order = np.lexsort((-np.asarray(values, dtype=np.float64), log_rates))
    quality: list[float] = []
    cost: list[float] = []
    for index in order:
        if np.isfinite(values[index]) and (not quality or values[index] > quality[-1]):
            quality.append(float(values[index]))
            cost.append(float(log_rates[index]))
    if len(quality) < 2:
        return None
    return _Pchip(np.array(quality), np.array(cost))


class _Pchip:
    """Piecewise cubic Hermite interpolation that keeps monotone data monotone.

    Slopes after Fritsch and Butland 1984; at the ends the three-point formula, limited so that
    it does not overshoot.
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        self.start, self.end = float(x[0]), float(x[-1])
        self._x, self._y = x, y
        self._slopes = _slopes(np.diff(x), np.diff(y) / np.diff(x))

    def __call__(self, at: Floats) -> Floats:
        """Values at points between `start` and `end`."""
        i = np.clip(np.searchsorted(self._x, at, side="right") - 1, 0, self._x.size - 2)
        step = self._x[i + 1] - self._x[i]
        t = (at - self._x[i]) / step
        value: Floats = (
            (1 + 2 * t) * (1 - t) ** 2 * self._y[i]
            + t * (1 - t) ** 2 * step * self._slopes[i]
            + t**2 * (3 - 2 * t) * self._y[i + 1]
            + t**2 * (t - 1) * step * self._slopes[i + 1]
        )
        return value

    def integral(self, low: float, high: float) -> float:
        """The integral between two points; Simpson's rule is exact for cubics."""
        knots = np.unique(np.clip(np.concatenate([[low], self._x, [high]]), low, high))
        a, b = knots[:-1], knots[1:]
        return float(np.sum((b - a) / 6 * (self(a) + 4 * self((a + b) / 2) + self(b))))


def _slopes(step: Floats, secant: Floats) -> Floats:
    if secant.size == 1:
        return np.repeat(secant, 2)
    slopes = np.zeros(secant.size + 1)
    w1, w2 = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    rising = secant[1:] * secant[:-1] > 0
    before, after = secant[:-1][rising], secant[1:][rising]
    w1, w2 = w1[rising], w2[rising]
    slopes[1:-1][rising] = (w1 + w2) / (w1 / before + w2 / after)
    slopes[0] = _end_slope(step[0], step[1], secant[0], secant[1])
    slopes[-1] = _end_slope(step[-1], step[-2], secant[-1], secant[-2])
    return slopes


def _end_slope(step: float, next_step: float, secant: float, next_secant: float) -> float:
    slope = ((2 * step + next_step) * secant - step * next_secant) / (step + next_step)
    if np.sign(slope) != np.sign(secant):
        return 0.0
    if np.sign(secant) != np.sign(next_secant) and abs(slope) > 3 * abs(secant):
        return 3 * secant
    return slope
