"""What a reader looks for first: quality at fixed rates, differences in rate, seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vqcodec.evaluation.contestants import is_own
from vqcodec.evaluation.curves import BdRate, bd_rate, value_at
from vqcodec.evaluation.measure import Point
from vqcodec.evaluation.measures import MEASURES, Measure
from vqcodec.evaluation.published import PublishedCurve, PublishedPoint

__all__ = ["Curves", "Line", "Seconds", "Summary", "lines_of", "summarize"]

RATES = (0.1, 0.15, 0.25, 0.5, 0.75)
TIMED_RATE = 0.25

Curves = Mapping[str, Sequence[Point]]
Line = tuple[list[float], list[float]]


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """Time for one picture at one setting, whose mean rate is `bpp`; medians over pictures."""

    setting: float
    bpp: float
    encode: float
    decode: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Read off the mean curves; measures by their field in a point, codecs by name.

    at_rate: measure -> codec -> quality at each of `rates` (None outside the codec's own range).
    bd_rates: measure -> model of ours -> other codec -> difference to it. seconds: codec -> time at
    the setting nearest to `timed_rate`. Published curves are among the codecs, but have no seconds.
    """

    rates: tuple[float, ...]
    at_rate: dict[str, dict[str, list[float | None]]]
    bd_rates: dict[str, dict[str, dict[str, BdRate | None]]]
    timed_rate: float
    seconds: dict[str, Seconds]


def summarize(
    curves: Curves, *, published: Sequence[PublishedCurve] = (), rates: Sequence[float] = RATES
) -> Summary:
    """Read quality at fixed rates off the curves, and compare our models with the others.

    A measure that no codec was run with is left out.
    """
    at_rate: dict[str, dict[str, list[float | None]]] = {}
    bd_rates: dict[str, dict[str, dict[str, BdRate | None]]] = {}
    for measure in MEASURES:
        lines = lines_of(curves, published, measure)
        if not any(codec in lines for codec in curves):
            continue
        at_rate[measure.field] = {
            codec: [value_at(rate, *line) for rate in rates] for codec, line in lines.items()
        }
        ours = [codec for codec in lines if codec in curves and is_own(codec)]
        bd_rates[measure.field] = {
            own: {
                codec: bd_rate(*lines[own], reference_rates=line[0], reference_values=line[1])
                for codec, line in lines.items()
                if codec not in ours
            }
            for own in ours
        }
    seconds = {codec: _seconds(points) for codec, points in curves.items() if points}
    return Summary(
        rates=tuple(rates),
        at_rate=at_rate,
        bd_rates=bd_rates,
        timed_rate=TIMED_RATE,
        seconds=seconds,
    )


def lines_of(
    curves: Curves, published: Sequence[PublishedCurve], measure: Measure
) -> dict[str, Line]:
    """Rates and qualities of every codec that has any in a measure, the published ones last."""
    everyone: dict[str, Sequence[Point | PublishedPoint]] = {
        **curves,
        **{curve.label: curve.points for curve in published},
    }
    lines = {}
    for codec, points in everyone.items():
        known = [(p.bpp, v) for p in points if (v := getattr(p, measure.field)) is not None]
        if known:
            lines[codec] = ([rate for rate, _ in known], [value for _, value in known])
    return lines


def _seconds(points: Sequence[Point]) -> Seconds:
    point = min(points, key=lambda p: abs(math.log(p.bpp / TIMED_RATE)))
    # A median over pictures forgives the first of them, which warms up.
    return Seconds(
        setting=point.setting,
        bpp=point.bpp,
        encode=float(np.median([row.encode_seconds for row in point.images])),
        decode=float(np.median([row.decode_seconds for row in point.images])),
    )
