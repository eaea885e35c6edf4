"""The results on disk: JSON with everything, CSV with a line for each picture."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from vqcodec.evaluation.contestants import Contestant
from vqcodec.evaluation.measure import Measurement
from vqcodec.evaluation.published import PublishedCurve
from vqcodec.evaluation.summary import Curves, summarize

__all__ = ["as_csv", "as_json"]


def as_json(
    curves: Curves,
    contestants: Sequence[Contestant],
    *,
    circumstances: Mapping[str, object],
    pictures: str,
    published: Sequence[PublishedCurve] = (),
) -> str:
    """Everything, with the settings and versions it was measured with; NaN and inf become null."""
    content = {
        "pictures": pictures,
        "averages": "means of per-picture values, of seconds in the summary medians; "
        "ms_ssim_db is of the mean ms_ssim",
        "rate": "8 x bytes of the whole file / pixels",
        **circumstances,
        "codecs": [_codec(contestant) for contestant in contestants],
        "published": [asdict(curve) for curve in published],
        "summary": asdict(summarize(curves, published=published)),
        "points": [asdict(point) for points in curves.values() for point in points],
    }
    return json.dumps(_finite(content), indent=1) + "\n"


def _codec(contestant: Contestant) -> dict[str, Any]:
    """What a codec was run with; and where and when, if not in this run."""
    names = ("name", "version", "settings", "runs_on", "measured")
    known = {name: getattr(contestant, name) for name in names}
    return {name: value for name, value in known.items() if value is not None}


def as_csv(curves: Curves) -> str:
    """One line for each codec, setting and picture."""
    names = [field.name for field in fields(Measurement)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["codec", "setting", *names])
    for codec, points in curves.items():
        for point in points:
            for row in point.images:
                writer.writerow([codec, point.setting, *(getattr(row, name) for name in names)])
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
