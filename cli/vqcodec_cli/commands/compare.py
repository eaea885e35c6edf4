"""vqcodec compare: one file beside what other codecs make of it, as a page to look at."""

import argparse
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqcodec.media.naming import with_article
from vqcodec_cli import options
from vqcodec_cli.contestants import (
    add_against,
    add_measures,
    add_qualities,
    chosen_peers,
    own_contestants,
    read_names,
)
from vqcodec_cli.failure import OK, RefusedError, UsageError
from vqcodec_cli.inputs import Source, find_sources
from vqcodec_cli.output import check_output, write_file
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import printable, say_lines

if TYPE_CHECKING:
    from vqcodec.codec import Codec
    from vqcodec.media.base import Medium
    from vqcodec.media.workshop import Contestant, Measure, Workshop
    from vqcodec.report import Trial, Usage

EXAMPLES = """\
the page holds everything, asks no network for anything, and opens in any browser: a slider
between original and decoded, their difference, zoom, bytes and measures, the bits of each
position, the codes that each stage uses, and curves of quality over rate

examples:
  vqcodec compare photo.png -o report.html
  vqcodec compare photo.png --at 0.15,0.25 --against jpeg,webp,avif,jxl -o report.html
  vqcodec compare photo.png -m photo,photo-psnr --viewer viewer/dist/index.html -o report.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument("input", metavar="INPUT", help="what to compare on: a file or a URL")
    options.add_output(parser, explanation="the page, an .html file")
    options.add_model(
        parser,
        default=None,
        explanation="models to compare, with commas, '' for none (default: the built-in one)",
    )
    parser.add_argument(
        "--at",
        metavar="RATES",
        type=_rates,
        default=None,
        help="rates at which files are shown, of pictures in bits per pixel (default: 0.15,0.25)",
    )
    add_against(parser)
    add_qualities(parser)
    add_measures(parser)
    parser.add_argument(
        "--viewer",
        metavar="ADDRESS",
        help="where the viewer is (its index.html): files of vqcodec in the page are linked to it",
    )
    options.add_device(parser)
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON")


def run(args: argparse.Namespace) -> int:
    """Measure, write the page, print the table; returns the exit code."""
    target = _target(args)
    source, *others = find_sources([args.input], suffixes=())
    if others:
        raise UsageError("compare takes one file; vqcodec eval takes a folder")

    import vqcodec
    from vqcodec.media.registry import WITHOUT_MODEL, find_workshop, medium_of
    from vqcodec.report import comparison_page

    data = source.read()
    medium = medium_of(data)
    if medium.name in WITHOUT_MODEL:
        if args.model is None:
            raise UsageError(f"{medium.name}s have no built-in model: say which with -m")
        medium = _medium_of_model(read_names(args.model)[0])
    workshop = find_workshop(medium.name)
    signal = _read(source, data, workshop)
    measures, peers = chosen_peers(args, workshop)
    names = (medium.default_model,) if args.model is None else read_names(args.model)
    _check_models(names, medium.name)
    codecs = [vqcodec.load(name, device=args.device) for name in names]
    contestants = [*own_contestants(codecs, args.qualities), *peers]
    trial = _trial(args, printable(Path(source.name).name), signal, contestants, measures, workshop)
    stride = codecs[0].card.config.synthesis.stride if codecs else ()
    usages = _usages(trial, codecs)
    page = comparison_page(trial, workshop, usages, stride=stride, viewer=args.viewer)
    write_file(target, page.encode(), force=args.force)
    say_lines(json.dumps(_content(trial)) if args.json else _summary(trial, target))
    return OK


def _medium_of_model(name: str) -> "Medium":
    from vqcodec.media.registry import find_medium
    from vqcodec.model.catalog import locate_model
    from vqcodec.model.file import read_card

    return find_medium(read_card(locate_model(name)).config.medium.kind)


def _check_models(names: Sequence[str], medium: str) -> None:
    """Refuse models that are for something else than the input. Raises: UsageError."""
    from vqcodec.model.catalog import locate_model
    from vqcodec.model.file import read_card

    for name in names:
        kind = read_card(locate_model(name)).config.medium.kind
        if kind != medium:
            raise UsageError(
                f"the model {name} is for {kind}s, the input is {with_article(medium)}"
            )


def _trial(
    args: argparse.Namespace,
    name: str,
    signal: Any,
    contestants: "Sequence[Contestant]",
    measures: "Sequence[Measure]",
    workshop: "Workshop",
) -> "Trial":
    """Put the signal through all codecs, and show how far that is."""
    from vqcodec.report import run_trial, trial_steps

    if not contestants:
        raise UsageError("nothing to compare: neither a model nor another codec")
    at = workshop.rate.table[1:3] if args.at is None else args.at
    steps = itertools.count(1)
    with DelayedProgress("comparing", total=trial_steps(contestants, at)) as progress:
        return run_trial(
            name,
            signal,
            contestants,
            at=at,
            rate=workshop.rate,
            measures=measures,
            report=lambda codec: progress.update(next(steps), codec),
        )


def _target(args: argparse.Namespace) -> Path:
    if args.output is None:
        raise UsageError("say where to put the page: -o report.html")
    target = Path(args.output)
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{target} would hold a page: name it {target.with_suffix('.html')}")
    if Path(args.input).is_dir():
        raise RefusedError(0, "is a folder; vqcodec eval FOLDER --page takes one", args.input)
    check_output(target, force=args.force)
    return target


def _read(source: Source, data: bytes, workshop: "Workshop") -> Any:
    """The signal, comparable and fit for a page."""
    from vqcodec.errors import InputError, VqcodecError
    from vqcodec.report import check_fits

    try:
        signal = workshop.read(data)
        check_fits(signal.extent)
        return signal
    except VqcodecError as error:
        raise InputError(f"{source.name}: {error}") from error


def _usages(trial: "Trial", codecs: "list[Codec]") -> "dict[int, Usage]":
    """Where the bytes of our own files went, by the number of the entry."""
    from vqcodec.report import find_usage

    own = {f"vqcodec {codec.card.label}": codec for codec in codecs}
    return {
        number: find_usage(own[entry.codec], entry.data)
        for number, entry in enumerate(trial.entries)
        if entry.codec in own
    }


def _content(trial: "Trial") -> dict[str, Any]:
    """What was measured, for machines."""
    entries = [
        {
            "codec": entry.codec,
            "within": entry.within,
            "setting": entry.setting,
            "bytes": entry.row.size,
            trial.rate.unit.replace(" ", "_"): entry.row.rate,
            **{n: v if math.isfinite(v) else None for n, v in entry.row.values.items()},
            "encode_seconds": entry.row.encode_seconds,
            "decode_seconds": entry.row.decode_seconds,
        }
        for entry in trial.entries
    ]
    return {"input": trial.name, "files": entries}


def _summary(trial: "Trial", target: Path) -> str:
    lines = []
    for entry in trial.entries:
        values = ", ".join(
            f"{measure.title} {measure.text(entry.row.shown(measure))} {measure.unit}".rstrip()
            for measure in trial.measures
        )
        within = f"{entry.within:g} {trial.rate.unit}"
        lines.append(f"{within}  {entry.codec}: {entry.row.size:,} bytes, {values}")
    return "\n".join([*lines, printable(str(target))])


def _rates(text: str) -> tuple[float, ...]:
    return tuple(options.positive(part) for part in text.split(","))
