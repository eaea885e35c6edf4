"""What vqcodec eval writes: the results as data, as tables, as a plot, and as a page."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vqcodec_cli import options

if TYPE_CHECKING:
    from vqcodec.evaluation import Results
    from vqcodec.media.workshop import Workshop

_NAMES = ("results.json", "signals.csv", "tables.md", "rate_distortion.png")
_PAGE = "page.html"
_ON_A_PAGE = 8


def add_page(parser: argparse.ArgumentParser) -> None:
    """Declare `--page`: how many signals are on the page, 0 for no page."""
    parser.add_argument(
        "--page",
        metavar="N",
        nargs="?",
        type=options.whole(1),
        const=_ON_A_PAGE,
        default=0,
        help=f"also write {_PAGE}: curves, a table of all files, and N of them, the worst for us "
        f"first, beside what each codec makes of them at like rates, some megabytes for each "
        f"(default: {_ON_A_PAGE})",
    )


def file_names(on_page: int) -> tuple[str, ...]:
    """The names of all that is written, the page last if there is one."""
    return (*_NAMES, _PAGE) if on_page else _NAMES


def result_files(
    results: "Results", workshop: "Workshop", signals: Sequence[tuple[str, Any]], on_page: int
) -> dict[str, bytes]:
    """The bytes of each file by its name; `on_page` of the signals are on the page."""
    from vqcodec import evaluation

    content = evaluation.as_json(results, circumstances=evaluation.circumstances(workshop.packages))
    table, plot = evaluation.as_markdown(results), evaluation.plot_curves(results)
    files = [content.encode(), evaluation.as_csv(results).encode(), table.encode(), plot]
    if on_page:
        from vqcodec.report import folder_page, worst_first

        shown = worst_first(results, signals, on_page)
        files.append(folder_page(results, workshop, shown, tables=table).encode())
    return dict(zip(file_names(on_page), files, strict=True))
