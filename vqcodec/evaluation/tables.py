"""The summary as tables for a page, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from vqcodec.evaluation.curves import BdRate
from vqcodec.evaluation.results import Results
from vqcodec.evaluation.summary import Summary, summarize
from vqcodec.media.workshop import Contestant, Measure

__all__ = ["as_markdown"]

OVERLAP = (
    "Bits at equal quality, negative where the model needs fewer. In brackets: the qualities that "
    "both reach, over which the mean is taken, and their share of the model's own range."
)


def as_markdown(results: Results) -> str:
    """Quality at fixed rates, BD-rates with their overlap, seconds, and sources."""
    summary = summarize(results)
    differences = _differences(summary, results.measures)
    blocks = [
        *(_at_rates(summary, measure, results.rate.unit) for measure in results.measures),
        *([*differences, OVERLAP] if differences else []),
        _seconds(summary, results.contestants, results.rate.unit),
        *_counted(results),
        *_sources(results),
    ]
    return "\n\n".join(blocks) + "\n"


def _at_rates(summary: Summary, measure: Measure, unit: str) -> str:
    rows = [
        [codec, *("-" if value is None else measure.text(value) for value in values)]
        for codec, values in summary.at_rate[measure.name].items()
    ]
    return _table([f"{measure.label} at {unit}", *(f"{rate:g}" for rate in summary.rates)], rows)


def _differences(summary: Summary, measures: Sequence[Measure]) -> list[str]:
    """A table for each model of ours: other codecs down, measures across."""
    tables = []
    own_models = dict.fromkeys(own for m in measures for own in summary.bd_rates[m.name])
    for own in own_models:
        rows = {measure: summary.bd_rates[measure.name].get(own, {}) for measure in measures}
        others = list(dict.fromkeys(codec for row in rows.values() for codec in row))
        cells = [[codec, *(_difference(rows[m], codec, m) for m in measures)] for codec in others]
        if cells:
            tables.append(
                _table([f"BD-rate of {own} against", *(m.title for m in measures)], cells)
            )
    return tables


def _difference(row: dict[str, BdRate | None], codec: str, measure: Measure) -> str:
    if codec not in row:
        return "-"
    difference = row[codec]
    if difference is None:
        return "none in common"
    qualities = f"{measure.text(difference.low)} to {measure.text(difference.high)}"
    return f"{difference.percent:+.1f} % ({qualities}; {100 * difference.overlap:.0f} %)"


def _seconds(summary: Summary, contestants: Sequence[Contestant], unit: str) -> str:
    runs_on = {contestant.name: _runs_on(contestant) for contestant in contestants}
    rows = [
        [codec, f"{s.rate:.3f}", _duration(s.encode), _duration(s.decode), runs_on.get(codec, "-")]
        for codec, s in summary.seconds.items()
    ]
    near = f"seconds a file near {summary.timed_rate:g} {unit}"
    return _table([near, unit, "encode", "decode", "on"], rows)


def _runs_on(contestant: Contestant) -> str:
    """Threads or device; and the processor, if it was measured in an earlier run."""
    if contestant.measured is None:
        return contestant.runs_on
    return f"{contestant.runs_on}, {contestant.measured['machine']['processor']}"


def _duration(seconds: float) -> str:
    return f"{seconds:.4f}" if seconds < 0.01 else f"{seconds:.3f}"


def _counted(results: Results) -> list[str]:
    """What the rates of each codec count, if it is not the same for all."""
    of: dict[str, list[str]] = {}
    for contestant in results.contestants:
        of.setdefault(contestant.counted, []).append(contestant.name)
    if set(of) <= {Contestant.counted}:
        return []
    return ["Rates count the " + "; ".join(f"{what} of {', '.join(of[what])}" for what in of) + "."]


def _sources(results: Results) -> list[str]:
    return [
        f"(published): not run here, numbers as published. {source}"
        for source in dict.fromkeys(curve.source for curve in results.published)
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
