"""Curves that others published, for codecs that are not run here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqcodec.errors import InputError
from vqcodec.evaluation.json_file import read_json, read_number, read_text
from vqcodec.media.workshop import Measure, Workshop

__all__ = ["PublishedCurve", "PublishedPoint", "read_published"]

LARGEST_FILE = 2**20
_LOWEST_RATE, _HIGHEST_RATE = 1e-6, 1e6


@dataclass(frozen=True, kw_only=True)
class PublishedPoint:
    """Rate and quality as published; values by name of the measure, as curves show them."""

    rate: float
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class PublishedCurve:
    """A codec that was not run here. source: where its numbers come from, in a line."""

    name: str
    source: str
    points: tuple[PublishedPoint, ...]

    @property
    def label(self) -> str:
        """The name as tables and plots carry it, so that nobody takes it for a measurement."""
        return f"{self.name} (published)"


def read_published(path: str | Path, workshop: Workshop) -> tuple[PublishedCurve, ...]:
    """Read curves from JSON: {"source": text, "curves": [{"name", "points": [{...}]}]}.

    A point holds the rate under the name of its unit, and values under the names of measures, with
    `-` or `_`, as a measure gives them for one signal. Other fields are for people.

    Raises:
        InputError: not such a file, or of more than a mebibyte.
        OSError: it cannot be read.
    """
    content = read_json(path, limit=LARGEST_FILE, what="published curves")
    try:
        source = read_text(content, "source")
        curves = tuple(_curve(entry, source, workshop) for entry in _items(content, "curves"))
        names = [curve.name for curve in curves]
        if len(set(names)) != len(names):
            raise InputError(f"a name stands twice among {', '.join(names)}")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return curves


def _curve(entry: Any, source: str, workshop: Workshop) -> PublishedCurve:
    name = read_text(entry, "name")
    try:
        points = tuple(_point(point, workshop) for point in _items(entry, "points"))
    except InputError as error:
        raise InputError(f"a point of {name}: {error}") from error
    return PublishedCurve(name=name, source=source, points=points)


def _point(entry: Any, workshop: Workshop) -> PublishedPoint:
    if not isinstance(entry, dict):
        raise InputError(f"it is {entry!r:.60}")
    rate = read_number(entry, workshop.rate.unit, low=_LOWEST_RATE, high=_HIGHEST_RATE)
    values = {}
    for measure in workshop.measures:
        for field in {measure.name, measure.name.replace("-", "_")}:
            if entry.get(field) is not None:
                values[measure.name] = _value(entry, field, measure)
    return PublishedPoint(rate=rate, values=values)


def _value(entry: dict[str, Any], field: str, measure: Measure) -> float:
    value = measure.of_mean(read_number(entry, field, low=measure.low, high=measure.high))
    if not math.isfinite(value):
        raise InputError(f"{field} is {entry[field]!r:.60}")
    return value


def _items(entry: Any, field: str) -> list[Any]:
    value = entry.get(field) if isinstance(entry, dict) else None
    if not isinstance(value, list) or not value:
        raise InputError(f"{field} is not a list with something in it: {value!r:.60}")
    return value
