"""Quality over rate as a drawing within a page: one line for each codec, rates on a log scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from vqcodec.evaluation import is_own
from vqcodec.evaluation.results import Line
from vqcodec.media.workshop import Measure, Rate

__all__ = ["draw_curves"]

# The room of the lines within the drawing, in its own units.
_WHOLE = (460, 340)
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 448, 14, 296
_COLOURS = 8


def draw_curves(lines: Mapping[str, Line], measure: Measure, rate: Rate) -> str:
    """An SVG element of curves, each in a class of its own, `own` or `codec0`, `codec1`, ...

    lines: rates and values of each codec; points that are not finite are left out.

    >>> from vqcodec.media.registry import find_workshop, list_media
    >>> shop = find_workshop(list_media()[0].name)
    >>> drawn = draw_curves({"jpeg": ([0.1, 0.4], [28.0, 33.0])}, shop.measures[0], shop.rate)
    >>> drawn.count("<circle"), drawn.count("<path")
    (2, 1)
    """
    known = {name: _finite(line) for name, line in lines.items()}
    points = [point for line in known.values() for point in line]
    if not points:
        return ""
    frame = _Frame(points, lower=measure.lower_is_better)
    title = escape(f"{measure.label} over {rate.title}")
    size = " ".join(map(str, (0, 0, *_WHOLE)))
    parts = [
        f'<svg class="chart" viewBox="{size}" role="img" aria-label="{title}">',
        *(_rate_tick(frame, tick) for tick in rate.ticks if frame.low <= tick <= frame.high),
        *(_value_tick(frame, value, measure) for value in frame.values()),
        f'<text x="{_RIGHT}" y="{_WHOLE[1] - 6}" class="end">{escape(rate.title)}</text>',
        f'<text x="4" y="{_TOP - 3}">{escape(measure.label)}</text>',
    ]
    peers = [name for name in known if not is_own(name)]
    for name, line in known.items():
        kind = "own" if is_own(name) else f"codec{peers.index(name) % _COLOURS}"
        parts.append(_curve(frame, name, line, kind, measure))
    return "".join([*parts, "</svg>", _legend(known, peers)])


class _Frame:
    """Where rates and values lie in the drawing; better is up."""

    def __init__(self, points: Sequence[tuple[float, float]], *, lower: bool) -> None:
        rates, values = [rate for rate, _ in points], [value for _, value in points]
        self.low, self.high = min(rates) * 0.95, max(rates) * 1.05
        spare = 0.04 * (max(values) - min(values)) or 1.0
        self.worst, self.best = min(values) - spare, max(values) + spare
        if lower:
            self.worst, self.best = self.best, self.worst

    def x(self, rate: float) -> float:
        share = math.log(rate / self.low) / math.log(self.high / self.low)
        return round(_LEFT + share * (_RIGHT - _LEFT), 1)

    def y(self, value: float) -> float:
        share = (value - self.worst) / (self.best - self.worst)
        return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)

    def values(self) -> list[float]:
        """Four to eight round values between the ends."""
        low, high = sorted((self.worst, self.best))
        rough = (high - low) / 5
        unit = 10 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
        first = math.ceil(low / step)
        return [step * number for number in range(first, math.floor(high / step) + 1)]


def _finite(line: Line) -> list[tuple[float, float]]:
    return [(rate, value) for rate, value in zip(*line, strict=True) if math.isfinite(value)]


def _rate_tick(frame: _Frame, rate: float) -> str:
    x = frame.x(rate)
    return (
        f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_BOTTOM}"/>'
        f'<text class="middle" x="{x}" y="{_BOTTOM + 16}">{rate:g}</text>'
    )


def _value_tick(frame: _Frame, value: float, measure: Measure) -> str:
    y = frame.y(value)
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>'
        f'<text class="end" x="{_LEFT - 5}" y="{y + 4}">{value:.{min(measure.decimals, 3)}f}</text>'
    )


def _curve(
    frame: _Frame, name: str, line: Sequence[tuple[float, float]], kind: str, measure: Measure
) -> str:
    places = [(frame.x(rate), frame.y(value)) for rate, value in line]
    path = " ".join(f"{'L' if i else 'M'}{x} {y}" for i, (x, y) in enumerate(places))
    dots = (
        f'<circle cx="{x}" cy="{y}" r="3"><title>{escape(name)}: {rate:.3f}, '
        f"{measure.text(value)}</title></circle>"
        for (x, y), (rate, value) in zip(places, line, strict=True)
    )
    return f'<g class="{kind}"><path d="{path}"/>{"".join(dots)}</g>'


def _legend(names: Mapping[str, object], peers: Sequence[str]) -> str:
    items = (
        f'<li class="{"own" if is_own(name) else f"codec{peers.index(name) % _COLOURS}"}">'
        f"{escape(name)}</li>"
        for name in names
    )
    return f'<ul class="legend">{"".join(items)}</ul>'
