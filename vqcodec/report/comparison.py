"""The page of one signal: before and after, their difference, bytes, bits and curves."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from vqcodec.errors import InputError
from vqcodec.evaluation import is_own
from vqcodec.evaluation.results import Results
from vqcodec.media.workshop import Workshop
from vqcodec.report.charts import draw_curves
from vqcodec.report.template import as_data, fill_page, table
from vqcodec.report.trial import Entry, Trial
from vqcodec.report.usage import Usage

__all__ = ["MOST_SAMPLES", "check_fits", "comparison_page"]

# A page holds each signal whole, and a browser has to lay all of them over each other.
MOST_SAMPLES = 2**24
_AXES = 2

# Its title, what is said of it, what is seen, and where its bytes went if it is ours.
_Layer = tuple[str, str, Any, Usage | None]


def check_fits(extent: Sequence[int]) -> None:
    """Refuse a signal that no page can show.

    Raises:
        InputError: it has other than two axes, or too many samples.

    >>> check_fits((512, 768))
    """
    if len(extent) != _AXES:
        raise InputError(
            f"a comparison is for what has two axes, this has {len(extent)}: vqcodec eval FOLDER "
            "--page compares what is heard"
        )
    if (samples := math.prod(extent)) > MOST_SAMPLES:
        raise InputError(
            f"a page holds at most {MOST_SAMPLES} samples of a signal, this has {samples}: "
            "compare a part of it"
        )


def comparison_page(
    trial: Trial,
    workshop: Workshop,
    usages: Mapping[int, Usage],
    *,
    stride: tuple[int, ...],
    viewer: str | None = None,
) -> str:
    """The page, in HTML, with everything in it.

    Args:
        usages: where the bytes went, by the number of an entry; of ours alone.
        stride: samples of a position of those, along each axis.
        viewer: the address of the viewer, to which files of ours are linked.

    Raises:
        InputError: see `check_fits`.
    """
    check_fits(trial.signal.extent)
    layers = _layers(trial, usages)
    drawn = "".join(
        f'<div class="layer">{workshop.exhibit(signal)}</div>' for _, _, signal, _ in layers
    )
    frame = (files("vqcodec.report") / "comparison.html").read_text("utf-8")
    body = [
        frame.replace("{{layers}}", drawn),
        f'<h2>Files</h2><div class="wide">{_files(trial, viewer)}</div>',
        f'<h2>Quality over rate</h2><div class="charts">{_charts(trial)}</div>',
        *_usages(trial, usages),
        f"<h2>Settings</h2>{_settings(trial)}",
        as_data("layers", {"layers": [_described(layer, trial, stride) for layer in layers]}),
    ]
    return fill_page(trial.name, "\n".join(body), scripts=("comparison.js", "table.js"))


def _layers(trial: Trial, usages: Mapping[int, Usage]) -> list[_Layer]:
    entries = [
        (_title(entry, trial), _said(entry, trial), entry.decoded, usages.get(number))
        for number, entry in enumerate(trial.entries)
    ]
    return [("original", "as it was", trial.signal, None), *entries]


def _described(layer: _Layer, trial: Trial, stride: tuple[int, ...]) -> dict[str, Any]:
    """What the page's script is told of a layer."""
    title, said, _, usage = layer
    bits = {} if usage is None else {"bits": _map(usage, trial, stride)}
    return {"title": title, "said": said, **bits}


def _charts(trial: Trial) -> str:
    results = Results(
        title=trial.name,
        rate=trial.rate,
        measures=trial.measures,
        contestants=trial.contestants,
        curves=trial.curves,
    )
    drawn = (draw_curves(results.lines(m), m, trial.rate) for m in trial.measures)
    return "".join(f"<div>{chart}</div>" for chart in drawn)


def _title(entry: Entry, trial: Trial) -> str:
    return f"{entry.codec} at {entry.within:g} {trial.rate.unit}"


def _said(entry: Entry, trial: Trial) -> str:
    values = (
        f"{measure.title} {measure.text(entry.row.shown(measure))} {measure.unit}".rstrip()
        for measure in trial.measures
    )
    return f"{entry.row.size:,} bytes, " + ", ".join(values)


def _map(usage: Usage, trial: Trial, stride: tuple[int, ...]) -> dict[str, Any]:
    """The bits of each position as the page draws them, and how far the grid reaches."""
    most = float(usage.positions.max()) or 1.0
    values = np.rint(usage.positions / most * 255).astype(np.uint8)
    rows, columns = values.shape
    down, across = (
        count * step / length
        for count, step, length in zip(values.shape, stride, trial.signal.extent, strict=True)
    )
    return {
        "rows": rows,
        "columns": columns,
        "most": most,
        "down": down,
        "across": across,
        "values": base64.b64encode(values.tobytes()).decode(),
    }


def _files(trial: Trial, viewer: str | None) -> str:
    measures = trial.measures
    head = ["codec", "within", "setting", "bytes", trial.rate.unit]
    head += [*(measure.label for measure in measures), "encode s", "decode s", "file"]
    best = {
        (within, m.name): max((m.worth(e.row.shown(m)) for e in entries), default=math.nan)
        for within in dict.fromkeys(entry.within for entry in trial.entries)
        for entries in [[e for e in trial.entries if e.within == within]]
        for m in measures
    }
    rows = [
        [
            escape(entry.codec),
            f"{entry.within:g}",
            f"{entry.setting:.4g}",
            f"{entry.row.size:,}",
            f"{entry.row.rate:.3f}",
            *(
                f"<span{' class=best' if m.worth(value) == best[entry.within, m.name] else ''}>"
                f"{m.text(value)}</span>"
                for m in measures
                for value in [entry.row.shown(m)]
            ),
            f"{entry.row.encode_seconds:.2f}",
            f"{entry.row.decode_seconds:.2f}",
            _links(entry, viewer),
        ]
        for entry in trial.entries
    ]
    return table(head, rows, caption="The largest file within each rate; the best in bold")


def _links(entry: Entry, viewer: str | None) -> str:
    address = "data:application/octet-stream;base64," + base64.b64encode(entry.data).decode()
    own = is_own(entry.codec)
    suffix = "vqc" if own else entry.codec.split("-")[0]
    links = f'<a download="{entry.within:g}.{escape(suffix)}" href="{address}">save</a>'
    if own and viewer is not None:
        links += f' <a href="{escape(viewer)}#{address}">view</a>'
    return links


def _usages(trial: Trial, usages: Mapping[int, Usage]) -> list[str]:
    parts = []
    for number, usage in usages.items():
        entry = trial.entries[number]
        whole = sum(stage.bits for stage in usage.stages) or 1.0
        rows = [
            [
                str(place),
                f"{stage.bits / 8:,.0f}",
                f'<span class="bar"><i style="--share:{100 * stage.bits / whole:.1f}%"></i></span>',
                f"{stage.codes:,}",
                f"{stage.perplexity:.1f}",
                f"{100 * stage.zeros:.1f} %",
            ]
            for place, stage in enumerate(usage.stages, start=1)
        ]
        head = [
            "stage",
            "bytes",
            "share",
            f"codes of {usage.codebook_size}",
            "perplexity",
            "code 0",
        ]
        caption = f"{_title(entry, trial)}; {usage.besides} bytes are header, checksums and facts"
        parts.append(f'<div class="wide">{table(head, rows, caption=caption)}</div>')
    return ["<h2>Where the bytes went</h2>", *parts] if parts else []


def _settings(trial: Trial) -> str:
    items = (
        f"<li>{escape(c.name)}: {escape(c.version)}; {escape(c.settings)}; {escape(c.runs_on)}</li>"
        for c in trial.contestants
    )
    return f"<ul>{''.join(items)}</ul>"
