"""vqcodec eval: rate and distortion on a folder of pictures, beside other codecs."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vqcodec_cli import options
from vqcodec_cli.commands.encode import PICTURE_SUFFIXES, find_model_early
from vqcodec_cli.failure import OK, RefusedError, UsageError
from vqcodec_cli.inputs import Source, find_sources
from vqcodec_cli.output import check_folder, check_output, write_file
from vqcodec_cli.progress import DelayedProgress

if TYPE_CHECKING:
    from vqcodec.evaluation import Contestant, Point, PublishedCurve
    from vqcodec.evaluation.contestants import Pixels

OUTPUTS = ("results.json", "images.csv", "tables.md", "rate_distortion.png")

EXAMPLES = """\
writes results.json (everything), images.csv (a line for each picture and setting), tables.md and
rate_distortion.png into DIR; every picture is held in memory

examples:
  vqcodec eval kodak/ --against jpeg,webp,avif -o results/
  vqcodec eval kodak/ --measures psnr,ms-ssim,ssimulacra2 --published curves.json -o results/
  vqcodec eval kodak/ -m mine --earlier results/results.json -o results/ -f

curves.json holds other codecs' numbers, which are drawn dashed and marked as published:
  {"source": "where they are from", "curves": [{"name": "codec", "points":
    [{"bpp": 0.2, "psnr": 28.1, "ms_ssim": 0.94}, {"bpp": 0.4, "psnr": 30.5, "ms_ssim": 0.97}]}]}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument("folder", metavar="FOLDER", help="pictures, with subfolders")
    options.add_output(parser, explanation="folder for the results; made if it is not there")
    options.add_model(
        parser, default="photo", explanation="models to measure, with commas (default: photo)"
    )
    parser.add_argument(
        "--against",
        metavar="CODECS",
        type=_names,
        default=("jpeg", "webp", "avif"),
        help="codecs to compare with, of jpeg, mozjpeg, webp, avif, avif-psnr, jp2, jxl; "
        "'' for none (default: jpeg,webp,avif)",
    )
    parser.add_argument(
        "--qualities",
        metavar="LIST",
        type=_qualities,
        default=None,
        help="qualities of vqcodec to measure (default: 0,10,...,100)",
    )
    parser.add_argument(
        "--measures",
        metavar="LIST",
        type=_names,
        default=("psnr", "ms-ssim"),
        help="of psnr, ms-ssim, ssimulacra2; the last is slow (default: psnr,ms-ssim)",
    )
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
        help="results.json of an earlier run on the same pictures: codecs of --against that it "
        "has, with the same settings, are taken from it instead of being measured; may be given "
        "more than once",
    )
    options.add_device(parser)
    parser.add_argument("--json", action="store_true", help="print the content of results.json")


def run(args: argparse.Namespace) -> int:
    """Measure everything, write the results, print the tables; returns the exit code."""
    folder = _results_folder(args)
    sources = find_sources([args.folder], suffixes=PICTURE_SUFFIXES)
    for model in _names(args.model):
        find_model_early(model)

    from vqcodec.evaluation import as_csv, as_json, as_markdown, circumstances
    from vqcodec.evaluation.plot import need_plotter, plot_curves

    need_plotter()
    measures = _measures(args)
    published = _published(args)
    contestants = _contestants(args)
    pictures = [(str(source.place()), _pixels(source)) for source in sources]
    contestants, curves = _measure(contestants, pictures, measures, args.earlier)
    title = f"{len(sources)} pictures of {Path(args.folder).name}"
    content = as_json(
        curves, contestants, circumstances=circumstances(), pictures=title, published=published
    )
    table = as_markdown(curves, contestants, published=published)
    plot = plot_curves(curves, title=title, published=published)
    folder.mkdir(exist_ok=True)
    results = [content.encode(), as_csv(curves).encode(), table.encode(), plot]
    for name, data in zip(OUTPUTS, results, strict=True):
        write_file(folder / name, data, force=True)
    print(content if args.json else f"{table}\n{folder / OUTPUTS[-1]}")
    return OK


def _measure(
    contestants: "Sequence[Contestant]",
    pictures: "Sequence[tuple[str, Pixels]]",
    measures: Sequence[str],
    earlier: Sequence[str],
) -> "tuple[list[Contestant], dict[str, list[Point]]]":
    """Measure what no earlier run has; the contestants as they were measured, and their curves."""
    from vqcodec.evaluation import evaluate, find_measures, read_earlier

    sizes = {name: pixels.shape[0] * pixels.shape[1] for name, pixels in pictures}
    fields = [measure.field for measure in find_measures(measures)]
    known: dict[str, tuple[Contestant, list[Point]]] = {}
    for path in earlier:
        known |= read_earlier(path, contestants, pictures=sizes, fields=fields)
    steps = len(pictures) * sum(len(c.ladder) for c in contestants if c.name not in known)
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
                contestant, pictures, measures=measures, report=count
            )
    measured = [known[c.name][0] if c.name in known else c for c in contestants]
    return measured, {c.name: curves[c.name] for c in contestants}


def _results_folder(args: argparse.Namespace) -> Path:
    if args.output is None:
        raise UsageError("say where to put the results: -o DIR")
    if not Path(args.folder).is_dir():
        raise RefusedError(0, "no such folder", args.folder)
    folder = Path(args.output)
    if folder.exists():
        for name in OUTPUTS:
            check_output(folder / name, force=args.force)
    else:
        check_folder(folder.absolute().parent)
    return folder


def _measures(args: argparse.Namespace) -> tuple[str, ...]:
    from vqcodec.errors import InputError
    from vqcodec.evaluation import find_measures

    try:
        return tuple(measure.name for measure in find_measures(args.measures))
    except InputError as error:
        raise UsageError(str(error)) from error


def _published(args: argparse.Namespace) -> "list[PublishedCurve]":
    from vqcodec.evaluation import read_published

    curves = [curve for path in args.published for curve in read_published(path)]
    names = [curve.name for curve in curves]
    if len(set(names)) != len(names):
        raise UsageError(f"--published files name a codec twice: {', '.join(names)}")
    return curves


def _contestants(args: argparse.Namespace) -> "Sequence[Contestant]":
    import vqcodec
    from vqcodec.errors import InputError
    from vqcodec.evaluation import codec_contestant, find_peer

    try:
        peers = [find_peer(name) for name in args.against]
    except InputError as error:
        raise UsageError(str(error)) from error
    chosen = {} if args.qualities is None else {"qualities": args.qualities}
    own = []
    for model in _names(args.model):
        codec = vqcodec.load(model, device=args.device)
        settings = f"model {codec.card.fingerprint}, device {codec.device}, without metadata"
        own.append(codec_contestant(codec, settings=settings, **chosen))
    return [*own, *peers]


def _pixels(source: Source) -> "Pixels":
    from vqcodec.evaluation.strip import rgb_pixels
    from vqcodec.media.picture.image import read_picture

    return rgb_pixels(read_picture(source.name))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _qualities(text: str) -> tuple[float, ...]:
    return tuple(options.number(0, 100)(part) for part in text.split(","))
