"""The rate-distortion picture: one panel for each measure, one line for each codec."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vqcodec.errors import MissingDependencyError
from vqcodec.evaluation.contestants import is_own
from vqcodec.evaluation.measure import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_curves"]

PANELS = {"psnr": "PSNR, dB", "ms_ssim_db": "MS-SSIM, dB", "ssimulacra2": "SSIMULACRA2"}


def plot_curves(curves: Mapping[str, Sequence[Point]], *, title: str) -> bytes:
    """Draw quality over bits per pixel; our models are the thick lines.

    Returns: the bytes of a PNG.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("the plot needs the package matplotlib") from error
    measures = [
        name
        for name in PANELS
        if any(getattr(point, name) is not None for points in curves.values() for point in points)
    ]
    figure = Figure(figsize=(6.4 * len(measures), 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    for position, name in enumerate(measures, start=1):
        _draw(figure.add_subplot(1, len(measures), position), curves, name)
    figure.suptitle(title)
    buffer = io.BytesIO()
    # Without a date in it, the same numbers give the same file.
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _draw(axes: Axes, curves: Mapping[str, Sequence[Point]], measure: str) -> None:
    own_colours = itertools.cycle(("black", "crimson", "navy"))
    for codec, points in curves.items():
        shown = [p for p in points if getattr(p, measure) is not None]
        ours = is_own(codec)
        axes.plot(
            [p.bpp for p in shown],
            [getattr(p, measure) for p in shown],
            label=codec,
            marker="o",
            markersize=4,
            linewidth=2.6 if ours else 1.3,
            color=next(own_colours) if ours else None,
            zorder=3 if ours else 2,
        )
    axes.set_xscale("log")
    axes.set_xticks([0.05, 0.1, 0.2, 0.5, 1.0, 2.0], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
    axes.minorticks_off()
    axes.set_xlabel("bits per pixel, whole file")
    axes.set_ylabel(PANELS[measure])
    axes.grid(alpha=0.3)
    axes.legend()
