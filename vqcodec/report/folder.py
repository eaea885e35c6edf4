"""The page of a folder's results: curves, each signal in a table, and what codecs make of some."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from vqcodec.evaluation import Measurement, Point, Results, is_own, value_at
from vqcodec.media.workshop import Contestant, Measure, Workshop
from vqcodec.report.charts import draw_curves
from vqcodec.report.template import fill_page, table

__all__ = ["folder_page", "worst_first"]

# A codec stands beside others at a rate if it comes as near as this.
_NEAR = 1.25


def folder_page(
    results: Results, workshop: Workshop, signals: Sequence[tuple[str, Any]], *, tables: str
) -> str:
    """The page, in HTML, with everything in it.

    Args:
        results: of the whole run; its codecs are run once more on `signals`.
        workshop: of the medium; see `Workshop.exhibit`.
        signals: names and signals to show, of those that were measured.
        tables: the results as `as_markdown` gives them.
    """
    charts = "".join(
        f"<div>{draw_curves(results.lines(m), m, results.rate)}</div>" for m in results.measures
    )
    body = [
        f'<div class="charts">{charts}</div>',
        *(f'<div class="wide">{_each(results, m)}</div>' for m in results.measures),
        *_blocks(tables),
        *(_section(results, workshop, name, signal) for name, signal in signals),
    ]
    return fill_page(results.title, "\n".join(body), scripts=("table.js",))


def worst_first(
    results: Results, signals: Sequence[tuple[str, Any]], count: int
) -> list[tuple[str, Any]]:
    """So many of the signals, those first on which our models stand worst beside the others.

    What is compared is the first measure at the rate near which seconds are compared; signals on
    which it cannot be compared come last.
    """
    rows = {name: lead for name, _, lead in _rows(results, results.measures[0])}
    known = sorted(signals, key=lambda pair: (rows[pair[0]] is None, rows[pair[0]] or 0.0))
    return known[:count]


def _rows(
    results: Results, measure: Measure
) -> list[tuple[str, dict[str, float | None], float | None]]:
    """Of each signal its value by each codec at the timed rate, and how far ours lead.

    A lead is that of the best of ours over the best of the others, or its own worth without any.
    """
    points = [point for curve in results.curves.values() for point in curve]
    rows = []
    for name in dict.fromkeys(row.signal for point in points for row in point.signals):
        values = {c: _at(curve, name, measure, results) for c, curve in results.curves.items()}
        known = {codec: measure.worth(v) for codec, v in values.items() if v is not None}
        own = max((worth for codec, worth in known.items() if is_own(codec)), default=None)
        other = max((worth for codec, worth in known.items() if not is_own(codec)), default=None)
        alone = all(map(is_own, results.curves))
        there = own is not None and (alone or other is not None)
        rows.append((name, values, (own or 0.0) - (other or 0.0) if there else None))
    return sorted(rows, key=lambda row: (row[2] is None, row[2] or 0.0))


def _at(points: Sequence[Point], name: str, measure: Measure, results: Results) -> float | None:
    """What a codec's curve of one signal is at the timed rate."""
    rows = [row for point in points for row in point.signals if row.signal == name]
    rows = [row for row in rows if measure.name in row.values]
    pairs = [(row.rate, measure.worth(row.shown(measure))) for row in rows]
    pairs = sorted(pair for pair in pairs if math.isfinite(pair[1]))
    if len(pairs) < 2:
        return None
    worth = value_at(results.rate.timed, [r for r, _ in pairs], [v for _, v in pairs])
    return None if worth is None else measure.worth(worth)


def _each(results: Results, measure: Measure) -> str:
    """The table of all signals in one measure, the worst for our models first."""
    codecs = list(results.curves)
    caption = f"{measure.label} of each at {results.rate.timed:g} {results.rate.unit}"
    head, rows = ["signal", *codecs], []
    for name, values, lead in _rows(results, measure):
        cells = ["-" if value is None else measure.text(value) for value in values.values()]
        rows.append(
            [escape(name), *cells, "-" if lead is None else f"{lead:+.{measure.decimals}f}"]
        )
    if not any(map(is_own, codecs)):
        return table(head, [row[:-1] for row in rows], caption=caption)
    caption += "; lead: of the best of our models over the best of the others, the worst first"
    return table([*head, "lead"], rows, caption=caption, sort="lead")


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
        f"{measure.title} {measure.text(row.shown(measure))} {measure.unit}".rstrip()
        for measure in results.measures
        if measure.name in row.values
    )
    return f"{point.codec} {point.setting:g}: {row.rate:.2f} {results.rate.unit}; {values}"


def _figure(workshop: Workshop, signal: Any, caption: str) -> str:
    exhibit = workshop.exhibit(signal)
    return f"<figure>{exhibit}<figcaption>{escape(caption)}</figcaption></figure>"


def _blocks(markdown: str) -> list[str]:
    """Blocks of Markdown, which are tables or sentences, as HTML."""
    return [
        f'<div class="wide">{_table(block.splitlines())}</div>'
        if block.startswith("|")
        else f"<p>{escape(block)}</p>"
        for block in markdown.strip().split("\n\n")
    ]


def _table(lines: Sequence[str]) -> str:
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    cells = [
        f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in row)}</tr>"
        for tag, row in [("th", head), *(("td", row) for row in rows)]
    ]
    return f"<table>{''.join(cells)}</table>"
