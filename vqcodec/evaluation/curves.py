"""Curves of quality over rate: reading off values, and the Bjontegaard difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import MissingDependencyError

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

    Raises: MissingDependencyError without scipy.
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
    return float(_curve(x, y)(np.clip(at, x[0], x[-1])))


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
    (start, *_, end), (other_start, *_, other_end) = candidate.x, reference.x
    low, high = float(max(start, other_start)), float(min(end, other_end))
    if not low < high:
        return None
    mean = (candidate.integrate(low, high) - reference.integrate(low, high)) / (high - low)
    overlap = (high - low) / float(end - start)
    return BdRate(100 * float(np.expm1(mean)), low, high, overlap)


def _rate_over_quality(rates: Sequence[float], values: Sequence[float]) -> Any:
    """The curve of the logarithm of the rate over quality, None of fewer than two points."""
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
    return _curve(np.array(quality), np.array(cost))


def _curve(x: Floats, y: Floats) -> Any:
    """SciPy's PCHIP through points, which keeps monotone data monotone (Fritsch, Butland 1984)."""
    try:
        from scipy.interpolate import PchipInterpolator
    except ImportError as error:
        raise MissingDependencyError("curves need scipy: pip install 'vqcodec[eval]'") from error
    return PchipInterpolator(x, y)
