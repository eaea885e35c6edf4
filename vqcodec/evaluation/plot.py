"""Quality over rate as a plot: one panel for each measure, one line for each codec."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from vqcodec.errors import MissingDependencyError
from vqcodec.evaluation.own import is_own
from vqcodec.evaluation.results import Line, Results
from vqcodec.media.workshop import Measure, Rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["need_plotter", "plot_curves"]

OWN = ("black", "crimson", "navy")
PEERS = ("C0", "C1", "C2", "C4", "C5", "C9", "C6", "C8")
PUBLISHED = ("dimgrey", "darkgoldenrod", "olive", "slateblue")


def need_plotter() -> None:
    """Check that plots can be drawn, before there is much to lose.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingDependencyError("the plot needs matplotlib: pip install 'vqcodec[eval]'")


def plot_curves(results: Results) -> bytes:
    """Draw quality over rate; our models are the thick lines, published ones are dashed.

    Returns: the bytes of a PNG.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    need_plotter()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    styles = _styles(results)
    panels = len(results.measures)
    figure = Figure(figsize=(4.6 * panels, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    legend: dict[str, Any] = {}
    for position, measure in enumerate(results.measures, start=1):
        axes = figure.add_subplot(1, panels, position)
        lines = results.lines(measure)
        _draw(axes, lines, styles, measure, results.rate)
        own = [codec for codec in results.curves if is_own(codec) and codec in lines]
        _frame(axes, lines, own, results.rate.ticks, measure)
        handles, labels = axes.get_legend_handles_labels()
        legend |= dict(zip(labels, handles, strict=True))
    figure.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=2 * panels)
    figure.suptitle(results.title)
    buffer = io.BytesIO()
    # Without a date in it, the same numbers give the same file.
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()


def _styles(results: Results) -> dict[str, dict[str, Any]]:
    """How each codec is drawn, the same in every panel."""
    own = [codec for codec in results.curves if is_own(codec)]
    peers = [codec for codec in results.curves if not is_own(codec)]
    others = [curve.label for curve in results.published]
    marked = {"marker": "o", "markersize": 4}
    return {
        **_coloured(own, OWN, {**marked, "linewidth": 2.8, "zorder": 4}),
        **_coloured(peers, PEERS, {**marked, "linewidth": 1.4, "zorder": 3}),
        **_coloured(others, PUBLISHED, {"linestyle": (0, (5, 2)), "linewidth": 1.4, "zorder": 2}),
    }


def _coloured(
    codecs: Sequence[str], colours: Sequence[str], style: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    cycle = itertools.cycle(colours)
    return {codec: {**style, "color": next(cycle)} for codec in codecs}


def _draw(
    axes: Axes,
    lines: dict[str, Line],
    styles: dict[str, dict[str, Any]],
    measure: Measure,
    rate: Rate,
) -> None:
    for codec, line in lines.items():
        axes.plot(*line, label=codec, **styles[codec])
    axes.set_xscale("log")
    axes.set_xlabel(rate.title)
    axes.set_ylabel(measure.label)
    axes.grid(alpha=0.3)


def _frame(
    axes: Axes,
    lines: dict[str, Line],
    own: Sequence[str],
    all_ticks: Sequence[float],
    measure: Measure,
) -> None:
    """Show where our models are; what another codec does far away from there may be cut off."""
    ours = [lines[codec] for codec in own] or list(lines.values())
    low, high = min(min(line[0]) for line in ours) * 0.8, max(max(line[0]) for line in ours) * 1.15
    axes.set_xlim(low, high)
    ticks = [rate for rate in all_ticks if low <= rate <= high]
    axes.set_xticks(ticks, [f"{rate:g}" for rate in ticks])
    axes.minorticks_off()
    # Better is up, whichever way the measure goes.
    values = [measure.worth(value) for line in ours for value in line[1] if math.isfinite(value)]
    seen = [
        measure.worth(value)
        for line in lines.values()
        for rate, value in zip(*line, strict=True)
        if low <= rate <= high and math.isfinite(value)
    ]
    if values:
        span = max(seen) - min(values) or 1.0
        low_end, high_end = min(values) - 0.2 * span, max(seen) + 0.04 * span
        axes.set_ylim(measure.worth(low_end), measure.worth(high_end))
