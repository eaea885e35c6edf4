"""Tables and plots of what `bench/video.py` measured."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vqcodec.evaluation.curves import bd_rate, value_at
from vqcodec.evaluation.own import is_own
from vqcodec.media.ssim import ms_ssim_db

__all__ = ["bits_at", "write_report"]

Rows = list[dict[str, Any]]

# Measure -> title, what its values become before they are read off, and the steps of a table.
_SCALES: dict[str, tuple[str, Callable[[float], float], float]] = {
    "psnr": ("PSNR", float, 2.0),
    "ms-ssim": ("MS-SSIM", ms_ssim_db, 2.0),
}


def bits_at(quality: float, rates: Sequence[float], qualities: Sequence[float]) -> float | None:
    """The rate at a quality, interpolated over the logarithm of the rate; None beyond the ends.

    >>> bits_at(27.0, [0.1, 0.4], [24.0, 30.0])
    0.2
    """
    # A curve of qualities over rates the other way round; exp is undone by its logarithm.
    top = max(qualities)
    found = value_at(
        math.exp(quality - top),
        [math.exp(q - top) for q in qualities],
        [math.log(rate) for rate in rates],
    )
    return None if found is None else round(math.exp(found), 6)


def write_report(result: Path) -> None:
    """Write tables (.md) and plots (.png) beside the JSON of a run."""
    content = json.loads(result.read_text(encoding="utf-8"))
    rows: Rows = content["rows"]
    parts = [_heading(content)]
    for measure in _SCALES:
        parts.append(_table(rows, measure))
        _plot(rows, measure, result.with_name(f"{result.stem}-{measure}.png"))
    parts.append(_seconds(rows))
    result.with_suffix(".md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print("\n\n".join(parts))


def _heading(content: dict[str, Any]) -> str:
    about = content["circumstances"]
    codecs = "; ".join(
        f"{name}: {codec['version']}, {codec['settings']}"
        for name, codec in content["codecs"].items()
    )
    return (
        f"{about['machine']['processor']}, 1 thread, load {content['load']:.2f}, commit "
        f"{about['commit']}, {about['date']}. {codecs}."
    )


def _curves(rows: Rows, clip: str, measure: str) -> dict[str, tuple[list[float], list[float]]]:
    """Codec -> rates and qualities of a clip."""
    scale = _SCALES[measure][1]
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        if row["signal"] == clip:
            rates, values = found.setdefault(row["codec"], ([], []))
            rates.append(row["rate"])
            values.append(scale(row["values"][measure]))
    return found


def _clips(rows: Rows) -> list[tuple[str, bool]]:
    """Names, fixed cameras first, and whether they are such."""
    names = sorted({row["signal"] for row in rows})
    return sorted(
        ((name, name.startswith("static")) for name in names), key=lambda c: (not c[1], c)
    )


def _table(rows: Rows, measure: str) -> str:
    """Bits per pixel at equal quality, clip by clip, and the mean difference to each peer."""
    title, _, step = _SCALES[measure]
    codecs = list(dict.fromkeys(row["codec"] for row in rows))
    lines = [
        f"| camera | clip | {title}, dB | " + " | ".join(codecs) + " |",
        "|---" * (3 + len(codecs)) + "|",
    ]
    for clip, is_static in _clips(rows):
        curves = _curves(rows, clip, measure)
        camera = "fixed" if is_static else "moving"
        reference = next((codec for codec in curves if is_own(codec)), next(iter(curves)))
        low, high = min(curves[reference][1]), max(curves[reference][1])
        quality = math.ceil(low / step) * step
        while quality <= high:
            cells = [_bits(curves.get(codec), quality) for codec in codecs]
            lines.append(f"| {camera} | {clip} | {quality:g} | " + " | ".join(cells) + " |")
            quality += step
        cells = [_difference(curves, reference, codec) for codec in codecs]
        lines.append(f"| {camera} | {clip} | {reference} against | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _bits(curve: tuple[list[float], list[float]] | None, quality: float) -> str:
    bits = None if curve is None else bits_at(quality, *curve)
    return "-" if bits is None else f"{bits:.4f}"


def _difference(
    curves: dict[str, tuple[list[float], list[float]]], reference: str, codec: str
) -> str:
    """The mean difference in bits over the qualities that both reach, and how many of ours."""
    if codec == reference or codec not in curves:
        return ""
    (rates, values), (other_rates, other_values) = curves[reference], curves[codec]
    found = bd_rate(rates, values, reference_rates=other_rates, reference_values=other_values)
    if found is None:
        return "-"
    return f"{found.percent:+.0f} % ({found.low:.1f} to {found.high:.1f} dB)"


def _seconds(rows: Rows) -> str:
    """Seconds for each clip and codec at the middle setting."""
    lines = ["| codec | clip | encode, s | decode, s |", "|---|---|---|---|"]
    for codec in dict.fromkeys(row["codec"] for row in rows):
        for clip, _ in _clips(rows):
            own = [row for row in rows if (row["codec"], row["signal"]) == (codec, clip)]
            for row in own[len(own) // 2 : len(own) // 2 + 1]:
                seconds = f"{row['encode_seconds']:.2f} | {row['decode_seconds']:.2f}"
                lines.append(f"| {codec} | {clip} | {seconds} |")
    return "\n".join(lines)


def _plot(rows: Rows, measure: str, path: Path) -> None:
    """A curve for each codec, a panel for each clip."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    clips = _clips(rows)
    across = min(3, len(clips))
    down = -(-len(clips) // across)
    figure, axes = pyplot.subplots(down, across, figsize=(5 * across, 4 * down), squeeze=False)
    for panel in axes.flat[len(clips) :]:
        panel.set_visible(False)
    for panel, (clip, is_static) in zip(axes.flat, clips, strict=False):
        for codec, (rates, values) in _curves(rows, clip, measure).items():
            width = 2.5 if is_own(codec) else 1.2
            panel.plot(rates, values, marker="o", markersize=3, linewidth=width, label=codec)
        panel.set_xscale("log")
        panel.set_title(f"{clip} ({'fixed' if is_static else 'moving'})", fontsize=10)
        panel.set_xlabel("bits per pixel")
        panel.set_ylabel(f"{_SCALES[measure][0]}, dB")
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
