"""The results on disk: JSON with everything, CSV with a line for each signal."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from vqcodec.evaluation.results import Results
from vqcodec.evaluation.summary import summarize
from vqcodec.media.workshop import Contestant

__all__ = ["as_csv", "as_json"]

AVERAGES = (
    "means over signals; in the unit of a measure, values of points are taken of the mean; "
    "seconds in the summary are medians"
)


def as_json(results: Results, *, circumstances: Mapping[str, object]) -> str:
    """Everything, with the settings and versions it was measured with; NaN and inf become null."""
    content = {
        "signals": results.title,
        "rate": {"unit": results.rate.unit, "title": results.rate.title},
        "measures": {measure.name: measure.label for measure in results.measures},
        "averages": AVERAGES,
        **circumstances,
        "codecs": [_codec(contestant) for contestant in results.contestants],
        "published": [asdict(curve) for curve in results.published],
        "summary": asdict(summarize(results)),
        "points": [asdict(point) for points in results.curves.values() for point in points],
    }
    return json.dumps(_finite(content), indent=1) + "\n"


def _codec(contestant: Contestant) -> dict[str, Any]:
    """What a codec was run with; and where and when, if not in this run."""
    names = ("name", "version", "settings", "counted", "runs_on", "measured")
    known = {name: getattr(contestant, name) for name in names}
    return {name: value for name, value in known.items() if value is not None}


def as_csv(results: Results) -> str:
    """One line for each codec, setting and signal; the rate is headed by its unit."""
    measures = [measure.name for measure in results.measures]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    head = ["codec", "setting", "signal", "size", results.rate.unit, *measures]
    writer.writerow([*head, "encode_seconds", "decode_seconds"])
    for codec, points in results.curves.items():
        for point in points:
            for row in point.signals:
                values = [row.values.get(measure) for measure in measures]
                start = [codec, point.setting, row.signal, row.size, row.rate]
                writer.writerow([*start, *values, row.encode_seconds, row.decode_seconds])
    return buffer.getvalue()


def _finite(value: Any) -> Any:
    """The value with every number that JSON cannot hold replaced by null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
