"""A page of results for people: curves, tables, and what each codec makes of some of the signals.

It is one file that holds all it shows, and needs no network.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from typing import Any

from vqcodec.evaluation.measure import Measurement, Point
from vqcodec.evaluation.results import Results
from vqcodec.media.workshop import Contestant, Workshop

__all__ = ["as_page", "spread"]

# A codec stands beside others at a rate if it comes as near as this.
_NEAR = 1.25

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; }
td, th { padding: 0.2em 0.8em; border-bottom: 1px solid #ddd; text-align: right; }
td:first-child, th:first-child { text-align: left; }
section { border-top: 1px solid #999; margin-top: 2em; }
.row { display: flex; flex-wrap: wrap; gap: 1em; align-items: flex-end; }
figure { margin: 0; display: table; }
figcaption { display: table-caption; caption-side: bottom; font-size: 13px; }
"""


def as_page(
    results: Results,
    workshop: Workshop,
    signals: Sequence[tuple[str, Any]],
    *,
    tables: str,
    plot: bytes,
) -> str:
    """The page, in HTML.

    Args:
        results: of the whole run; its codecs are run once more on `signals`.
        workshop: of the medium; see `Workshop.exhibit`.
        signals: names and signals to show, of those that were measured.
        tables: the results as `as_markdown` gives them.
        plot: the bytes of a PNG.
    """
    shown = f'<img alt="curves" src="data:image/png;base64,{base64.b64encode(plot).decode()}">'
    sections = (_section(results, workshop, name, signal) for name, signal in signals)
    title = escape(results.title)
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            shown,
            _tables(tables),
            *sections,
            "</body></html>\n",
        ]
    )


def spread(signals: Sequence[tuple[str, Any]], count: int) -> list[tuple[str, Any]]:
    """So many of the signals, evenly spread; all of them if there are fewer.

    >>> [name for name, _ in spread([(name, None) for name in "abcdefg"], 3)]
    ['a', 'd', 'f']
    """
    count = min(count, len(signals))
    return [signals[-(-place * len(signals) // count)] for place in range(count)]


def _section(results: Results, workshop: Workshop, name: str, signal: Any) -> str:
    """One signal: the original, and then at each rate of the tables what is near it."""
    parts = [f"<section><h2>{escape(name)}</h2>", _figure(workshop, signal, "original")]
    for rate in results.rate.table:
        figures = [
            _figure(workshop, _decoded(workshop, contestant, signal, point), caption)
            for contestant in results.contestants
            for point, row in _near(results.curves[contestant.name], name, rate)
            for caption in [_caption(results, point, row)]
        ]
        if figures:
            unit = escape(results.rate.unit)
            parts += [
                f"<h3>about {rate:g} {unit}</h3>",
                f'<div class="row">{"".join(figures)}</div>',
            ]
    return "\n".join([*parts, "</section>"])


def _near(points: Sequence[Point], name: str, rate: float) -> list[tuple[Point, Measurement]]:
    """The setting whose file of this signal is nearest to a rate, if it is near."""
    rows = [(point, row) for point in points for row in point.signals if row.signal == name]
    distances = [abs(math.log(row.rate / rate)) for _, row in rows]
    best = min(range(len(rows)), key=distances.__getitem__, default=None)
    return [] if best is None or distances[best] > math.log(_NEAR) else [rows[best]]


def _decoded(workshop: Workshop, contestant: Contestant, signal: Any, point: Point) -> Any:
    return workshop.comparable(contestant.decode(contestant.encode(signal, point.setting)))


def _caption(results: Results, point: Point, row: Measurement) -> str:
    values = ", ".join(
        f"{measure.title} {measure.text(row.values[measure.name])} {measure.unit}".rstrip()
        for measure in results.measures
        if measure.name in row.values
    )
    return f"{point.codec} {point.setting:g}: {row.rate:.2f} {results.rate.unit}; {values}"


def _figure(workshop: Workshop, signal: Any, caption: str) -> str:
    exhibit = workshop.exhibit(signal)
    return f"<figure>{exhibit}<figcaption>{escape(caption)}</figcaption></figure>"


def _tables(markdown: str) -> str:
    """Blocks of Markdown, which are tables or sentences, as HTML."""
    return "\n".join(
        _table(block.splitlines()) if block.startswith("|") else f"<p>{escape(block)}</p>"
        for block in markdown.strip().split("\n\n")
    )


def _table(lines: Sequence[str]) -> str:
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    cells = [
        f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in row)}</tr>"
        for tag, row in [("th", head), *(("td", row) for row in rows)]
    ]
    return f"<table>{''.join(cells)}</table>"
