"""The results on disk: JSON with everything, CSV to look at, a table for a page, a plot."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from vqcodec.evaluation.contestants import Contestant, is_own
from vqcodec.evaluation.curves import BdRate, bd_rate, value_at
from vqcodec.evaluation.measure import Measurement, Point

__all__ = ["Summary", "as_csv", "as_json", "as_markdown", "summarize"]

RATES = (0.1, 0.15, 0.25, 0.5, 0.75)
MEASURES = {"psnr": "PSNR dB", "ms_ssim_db": "MS-SSIM dB", "ssimulacra2": "SSIMULACRA2"}

Curves = Mapping[str, Sequence[Point]]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a reader looks for first.

    at_rate: measure -> codec -> quality at each of `rates` (None outside the measured range).
    bd_rates: measure -> model of ours -> other codec -> difference to it, over mean curves.
    """

    rates: tuple[float, ...]
    at_rate: dict[str, dict[str, list[float | None]]]
    bd_rates: dict[str, dict[str, dict[str, BdRate | None]]]


def summarize(curves: Curves, *, rates: Sequence[float] = RATES) -> Summary:
    """Read quality at fixed rates off the mean curves, and compare our models with the others."""
    at_rate: dict[str, dict[str, list[float | None]]] = {}
    bd_rates: dict[str, dict[str, dict[str, BdRate | None]]] = {}
    for measure in MEASURES:
        lines = {
            codec: ([p.bpp for p in points], [getattr(p, measure) for p in points])
            for codec, points in curves.items()
        }
        if any(value is None for _, values in lines.values() for value in values):
            continue
        at_rate[measure] = {
            codec: [value_at(rate, *line) for rate in rates] for codec, line in lines.items()
        }
        bd_rates[measure] = {
            own: {
                codec: bd_rate(*lines[own], reference_rates=line[0], reference_values=line[1])
                for codec, line in lines.items()
                if not is_own(codec)
            }
            for own in lines
            if is_own(own)
        }
    return Summary(rates=tuple(rates), at_rate=at_rate, bd_rates=bd_rates)


def as_json(
    curves: Curves,
    contestants: Sequence[Contestant],
    *,
    circumstances: Mapping[str, object],
    pictures: str,
) -> str:
    """Everything, with the settings and versions it was measured with; NaN and inf become null."""
    content = {
        "pictures": pictures,
        "averages": "means of per-picture values; ms_ssim_db is of the mean ms_ssim",
        "rate": "8 x bytes of the whole file / pixels",
        **circumstances,
        "codecs": [
            {"name": c.name, "version": c.version, "settings": c.settings} for c in contestants
        ],
        "summary": asdict(summarize(curves)),
        "points": [asdict(point) for points in curves.values() for point in points],
    }
    return json.dumps(_finite(content), indent=1) + "\n"


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


def as_markdown(curves: Curves) -> str:
    """Quality at fixed rates and BD-rates, as tables for a page."""
    summary = summarize(curves)
    blocks = []
    for measure, codecs in summary.at_rate.items():
        rows = [[codec, *map(_number, values)] for codec, values in codecs.items()]
        head = [f"{MEASURES[measure]} at bpp", *(f"{rate:g}" for rate in summary.rates)]
        blocks.append(_table(head, rows))
    rows = [
        [_measure_name(measure), own, codec, _percent(difference), _range(difference)]
        for measure, models in summary.bd_rates.items()
        for own, references in models.items()
        for codec, difference in references.items()
    ]
    if rows:
        head = [
            "measure",
            "model",
            "against",
            "BD-rate",
            "qualities compared (share of the model's)",
        ]
        blocks.append(_table(head, rows))
    return "\n\n".join(blocks) + "\n"


def _measure_name(measure: str) -> str:
    return MEASURES[measure].removesuffix(" dB")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(difference: BdRate | None) -> str:
    return "-" if difference is None else f"{difference.percent:+.1f} %"


def _range(difference: BdRate | None) -> str:
    if difference is None:
        return "none in common"
    return f"{difference.low:.2f} to {difference.high:.2f} ({difference.overlap:.0%})"


def _finite(value: Any) -> Any:
    """The value with every number that JSON cannot hold replaced by null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
