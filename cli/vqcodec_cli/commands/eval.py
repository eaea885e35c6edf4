"""vqcodec eval: rate and distortion on a folder of files, beside other codecs."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqcodec_cli import options
from vqcodec_cli.contestants import (
    add_against,
    add_measures,
    add_qualities,
    chosen_peers,
    own_contestants,
    read_names,
)
from vqcodec_cli.eval_files import add_page, file_names, result_files
from vqcodec_cli.failure import OK, RefusedError, UsageError
from vqcodec_cli.inputs import Source, find_sources
from vqcodec_cli.media import input_suffixes
from vqcodec_cli.output import check_folder, check_output, write_file
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import printable, say_lines

if TYPE_CHECKING:
    from vqcodec.evaluation import Point, PublishedCurve
    from vqcodec.media.base import Medium
    from vqcodec.media.workshop import Contestant, Measure, Workshop

EXAMPLES = """\
writes results.json (everything), signals.csv (a line for each file and setting), tables.md and
rate_distortion.png into DIR; everything that is measured on is held in memory

examples:
  vqcodec eval kodak/ --against jpeg,webp,avif -o results/
  vqcodec eval kodak/ --measures psnr,ms-ssim,ssimulacra2 --published curves.json -o results/
  vqcodec eval kodak/ -m mine --earlier results/results.json -o results/ -f
  vqcodec eval clips/ --against opus,codec2,mp3,aac --page -o results/

curves.json holds other codecs' numbers, which are drawn dashed and marked as published:
  {"source": "where they are from", "curves": [{"name": "codec", "points":
    [{"bpp": 0.2, "psnr": 28.1, "ms_ssim": 0.94}, {"bpp": 0.4, "psnr": 30.5, "ms_ssim": 0.97}]}]}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument("folder", metavar="FOLDER", help="what to measure on, with subfolders")
    options.add_output(parser, explanation="folder for the results; made if it is not there")
    options.add_model(
        parser,
        default=None,
        explanation="models to measure, with commas, all of one medium, '' for none (default: the "
        "built-in one for the first file of the folder)",
    )
    add_against(parser)
    add_qualities(parser)
    add_measures(parser)
    parser.add_argument(
        "--published",
        metavar="FILE",
        action="append",
        default=[],
        help="curves of codecs that are not run here, as JSON; may be given more than once",
    )
    parser.add_argument(
        "--earlier",
        metavar="FILE",
        action="append",
        default=[],
        help="results.json of an earlier run on the same files: codecs of --against that it "
        "has, with the same settings, are taken from it instead of being measured; may be given "
        "more than once",
    )
    add_page(parser)
    options.add_device(parser)
    parser.add_argument("--json", action="store_true", help="print the content of results.json")


def run(args: argparse.Namespace) -> int:
    """Measure everything, write the results, print the tables; returns the exit code."""
    import vqcodec
    from vqcodec.media.registry import find_streaming_coder, find_workshop

    folder = _results_folder(args)
    medium, models = _models(args)
    workshop = find_workshop(medium.name)
    # What is told by its model alone has no suffix of its own, but is written somehow.
    sources = find_sources([args.folder], suffixes=medium.suffixes or tuple(medium.formats))

    from vqcodec.evaluation import Results
    from vqcodec.evaluation.plot import need_plotter

    need_plotter()
    measures, peers = chosen_peers(args, workshop)
    published = _published(args, workshop)
    coder = find_streaming_coder(medium)
    load = vqcodec.load if coder is None else coder.load
    codecs = [load(model, device=args.device) for model in models]
    contestants = [*own_contestants(codecs, args.qualities), *peers]
    signals = [(printable(str(source.place())), _read(source, workshop)) for source in sources]
    if args.page:
        # What it needs is missed before the work, not after it.
        workshop.exhibit(signals[0][1])
    contestants, curves = _measure(contestants, signals, workshop, measures, args.earlier)
    results = Results(
        title=f"{len(sources)} {medium.name}s of {printable(Path(args.folder).name)}",
        rate=workshop.rate,
        measures=measures,
        contestants=contestants,
        curves=curves,
        published=published,
    )
    files = result_files(results, workshop, signals, args.page)
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        write_file(folder / name, data, force=True)
    content, table = (files[name].decode() for name in ("results.json", "tables.md"))
    say_lines(content if args.json else f"{table}\n{printable(str(folder / [*files][-1]))}")
    return OK


def _measure(
    contestants: "Sequence[Contestant]",
    signals: Sequence[tuple[str, Any]],
    workshop: "Workshop",
    measures: "Sequence[Measure]",
    earlier: Sequence[str],
) -> "tuple[list[Contestant], dict[str, list[Point]]]":
    """Measure what no earlier run has; the contestants as they were measured, and their curves."""
    from vqcodec.evaluation import evaluate, read_earlier

    rate = workshop.rate
    known: dict[str, tuple[Contestant, list[Point]]] = {}
    for path in earlier:
        known |= read_earlier(path, contestants, signals=signals, rate=rate, measures=measures)
    steps = len(signals) * sum(len(c.ladder) for c in contestants if c.name not in known)
    done = 0
    curves = {name: points for name, (_, points) in known.items()}
    with DelayedProgress("measuring", total=steps) as progress:
        for contestant in contestants:
            if contestant.name in known:
                continue

            def count(name: str = contestant.name) -> None:
                nonlocal done
                done += 1
                progress.update(done, name)

            curves[contestant.name] = evaluate(
                contestant, signals, rate=rate, measures=measures, report=count
            )
    measured = [known[c.name][0] if c.name in known else c for c in contestants]
    return measured, {c.name: curves[c.name] for c in contestants}


def _results_folder(args: argparse.Namespace) -> Path:
    if args.output is None:
        raise UsageError("say where to put the results: -o DIR")
    if Path(args.folder).is_file():
        raise RefusedError(0, "is a file; eval takes a folder", args.folder)
    if not Path(args.folder).is_dir():
        raise RefusedError(0, "no such folder", args.folder)
    folder = Path(args.output)
    if folder.exists():
        for name in file_names(args.page):
            check_output(folder / name, force=args.force)
    else:
        check_folder(folder.absolute().parent)
    return folder


def _models(args: argparse.Namespace) -> "tuple[Medium, tuple[str, ...]]":
    """The models to measure, and the one medium that they are for."""
    from vqcodec.media.registry import find_medium
    from vqcodec.model.catalog import locate_model
    from vqcodec.model.file import read_card

    if args.model is None:
        usual = _medium_in(args.folder)
        if not usual.default_model:
            raise UsageError(f"{usual.name}s have no built-in model: say which with -m")
        models: tuple[str, ...] = (usual.default_model,)
    else:
        models = read_names(args.model)
    if not models:
        # Peers can be measured without a model.
        return _medium_in(args.folder), ()
    kinds = {model: read_card(locate_model(model)).config.medium.kind for model in models}
    if len(set(kinds.values())) > 1:
        said = ", ".join(f"{model} is for {kind}s" for model, kind in kinds.items())
        raise UsageError(f"only models of one medium can be compared: {said}")
    return find_medium(kinds[models[0]]), models


def _medium_in(folder: str) -> "Medium":
    """The medium of a folder's first file."""
    from vqcodec.media.registry import list_media

    first, *_ = find_sources([folder], suffixes=input_suffixes())
    ending = Path(first.name).suffix.lower()
    return next(medium for medium in list_media() if ending in medium.suffixes)


def _published(args: argparse.Namespace, workshop: "Workshop") -> "list[PublishedCurve]":
    from vqcodec.evaluation import read_published

    curves = [curve for path in args.published for curve in read_published(path, workshop)]
    names = [curve.name for curve in curves]
    if len(set(names)) != len(names):
        raise UsageError(f"--published files name a codec twice: {', '.join(names)}")
    return curves


def _read(source: Source, workshop: "Workshop") -> Any:
    from vqcodec.errors import InputError, VqcodecError

    try:
        return workshop.read(source.read())
    except VqcodecError as error:
        raise InputError(f"{source.name}: {error}") from error
