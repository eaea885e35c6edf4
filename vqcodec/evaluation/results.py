"""All that one run measured, and what is shown beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vqcodec.evaluation.measure import Point
from vqcodec.evaluation.published import PublishedCurve, PublishedPoint
from vqcodec.media.workshop import Contestant, Measure, Rate

__all__ = ["Line", "Results"]

# Rates and values of one codec in one measure.
Line = tuple[list[float], list[float]]


@dataclass(frozen=True, kw_only=True)
class Results:
    """What summaries, tables, plots and files are made of.

    Attributes:
        title: what was measured on, for people.
        rate: what files were measured by.
        measures: that were taken, in the order of tables.
        contestants: as they were run.
        curves: by name of the codec, from small to large files.
        published: of codecs that were not run.
    """

    title: str
    rate: Rate
    measures: Sequence[Measure]
    contestants: Sequence[Contestant]
    curves: Mapping[str, Sequence[Point]]
    published: Sequence[PublishedCurve] = ()

    def lines(self, measure: Measure) -> dict[str, Line]:
        """The curve of every codec that has one in a measure, the published ones last."""
        everyone: dict[str, Sequence[Point | PublishedPoint]] = {
            **self.curves,
            **{curve.label: curve.points for curve in self.published},
        }
        lines = {}
        for codec, points in everyone.items():
            known = [(p.rate, p.values[measure.name]) for p in points if measure.name in p.values]
            if known:
                lines[codec] = ([rate for rate, _ in known], [value for _, value in known])
        return lines
