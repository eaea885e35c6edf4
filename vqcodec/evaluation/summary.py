"""What a reader looks for first: quality at fixed rates, differences in rate, seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vqcodec.evaluation.curves import BdRate, bd_rate, value_at
from vqcodec.evaluation.measure import Point
from vqcodec.evaluation.own import is_own
from vqcodec.evaluation.results import Line, Results
from vqcodec.media.workshop import Measure

__all__ = ["Seconds", "Summary", "summarize"]

BdRates = dict[str, dict[str, BdRate | None]]


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """Time for one signal at one setting, whose mean rate is `rate`; medians over signals."""

    setting: float
    rate: float
    encode: float
    decode: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Read off the mean curves; measures and codecs by name.

    Attributes:
        rates: of the table.
        at_rate: measure -> codec -> quality at each of `rates`, None outside the codec's own range.
        bd_rates: measure -> model of ours -> other codec -> difference to it.
        timed_rate: near which seconds are compared.
        seconds: codec -> time at the setting nearest to `timed_rate`.

    Published curves are among the codecs, but have no seconds.
    """

    rates: tuple[float, ...]
    at_rate: dict[str, dict[str, list[float | None]]]
    bd_rates: dict[str, BdRates]
    timed_rate: float
    seconds: dict[str, Seconds]


def summarize(results: Results) -> Summary:
    """Read quality at fixed rates off the curves, and compare our models with the others."""
    rate = results.rate
    lines = {measure: results.lines(measure) for measure in results.measures}
    own = [codec for codec in results.curves if is_own(codec)]
    return Summary(
        rates=rate.table,
        at_rate={
            measure.name: {
                codec: [_value_at(at, line, measure) for at in rate.table]
                for codec, line in known.items()
            }
            for measure, known in lines.items()
        },
        bd_rates={measure.name: _bd_rates(known, own, measure) for measure, known in lines.items()},
        timed_rate=rate.timed,
        seconds={
            codec: _seconds(points, rate.timed)
            for codec, points in results.curves.items()
            if points
        },
    )


def _value_at(rate: float, line: Line, measure: Measure) -> float | None:
    rates, values = line
    worth = value_at(rate, rates, [measure.worth(value) for value in values])
    return None if worth is None else measure.worth(worth)


def _bd_rates(lines: dict[str, Line], own: Sequence[str], measure: Measure) -> BdRates:
    """Every model of ours against every codec that is none."""
    return {
        model: {
            codec: _bd_rate(lines[model], line, measure)
            for codec, line in lines.items()
            if codec not in own
        }
        for model in own
        if model in lines
    }


def _bd_rate(candidate: Line, reference: Line, measure: Measure) -> BdRate | None:
    rates, values = candidate
    difference = bd_rate(
        rates,
        [measure.worth(value) for value in values],
        reference_rates=reference[0],
        reference_values=[measure.worth(value) for value in reference[1]],
    )
    if difference is None:
        return None
    low, high = sorted(measure.worth(value) for value in (difference.low, difference.high))
    return replace(difference, low=low, high=high)


def _seconds(points: Sequence[Point], near: float) -> Seconds:
    point = min(points, key=lambda p: abs(math.log(p.rate / near)))
    # A median over signals forgives the first of them, which warms up.
    return Seconds(
        setting=point.setting,
        rate=point.rate,
        encode=float(np.median([row.encode_seconds for row in point.signals])),
        decode=float(np.median([row.decode_seconds for row in point.signals])),
    )
