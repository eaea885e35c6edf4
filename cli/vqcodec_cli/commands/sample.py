"""vqcodec sample: signals drawn from what a model takes to be likely."""

import argparse
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.media.base import Medium
from vqcodec.media.registry import find_medium, find_workshop
from vqcodec_cli import options
from vqcodec_cli.failure import OK, UsageError, options_refused
from vqcodec_cli.inputs import STREAM_SUFFIXES
from vqcodec_cli.media import format_of
from vqcodec_cli.output import check_output, write_file
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import printable, say

if TYPE_CHECKING:
    from vqcodec.codec import Codec
    from vqcodec.model.file import ModelCard

EXAMPLES = """\
examples:
  vqcodec sample -m digits --seed 1 --count 64 -o sheet.png
  vqcodec sample --stages 3 --extent 256,256 --count 9 -o textures.png
  vqcodec sample -m digits --count 100 -o samples/     a .vqc file of each
  vqcodec sample -m digits --generator digits-prior --class 7 --count 16 -o sevens.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    options.add_output(
        parser,
        explanation="a file to look at or listen to with all of them (.png, .wav), a .vqc file of "
        "one, or a folder for .vqc files",
    )
    options.add_model(parser, default="photo", explanation="model to draw from (default: photo)")
    parser.add_argument(
        "--seed",
        type=options.whole(0, 2**64 - 1),
        default=0,
        metavar="N",
        help="the same seed draws the same codes on every machine (default: 0)",
    )
    parser.add_argument(
        "--count", type=options.whole(1), default=1, metavar="N", help="how many (default: 1)"
    )
    parser.add_argument(
        "--extent",
        type=options.lengths,
        metavar="N,..",
        help="samples along each axis, as 256,256 (default: what the model is for, or 32 "
        "positions)",
    )
    parser.add_argument(
        "--stages",
        type=options.whole(1),
        metavar="N",
        help="draw the first N stages of codes, which are coarser (default: all)",
    )
    parser.add_argument(
        "--generator",
        metavar="NAME",
        help="draw from what `train-prior` wrote, by its name or file, not from the coder's prior",
    )
    parser.add_argument(
        "--class",
        dest="label",
        type=options.whole(0),
        metavar="N",
        help="with --generator: of this class, from 0 (default: any)",
    )
    parser.add_argument(
        "--temperature",
        type=options.positive,
        metavar="T",
        help="with --generator: below 1 nearer to what is likely (default: 1)",
    )
    parser.add_argument(
        "--top-p",
        type=options.share,
        metavar="P",
        help="with --generator: leave out the least likely codes, 1 - P of them (default: 1)",
    )
    options.add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Draw and write; returns the exit code."""
    import vqcodec
    from vqcodec.model.catalog import locate_model
    from vqcodec.model.file import read_card

    if args.output is None:
        raise UsageError("say where to put the samples: -o sheet.png, one.vqc or a folder")
    card = read_card(locate_model(args.model))
    _check_amount(args, card)
    medium = find_medium(card.config.medium.kind)
    places = _places(args, medium)
    for place in places:
        check_output(place, force=args.force, makes_folder=True)
    codec = vqcodec.load(args.model, device=args.device)
    with options_refused():
        streams = codec.sample_streams(
            args.extent,
            count=args.count,
            seed=args.seed,
            stages=args.stages,
            generator=args.generator,
            **_options(args),
        )
    with DelayedProgress("sampling", total=float(args.count)) as bar:
        drawn = _counted(streams, bar)
        if len(places) == args.count and places[0].suffix in STREAM_SUFFIXES:
            for place, data in zip(places, drawn, strict=True):
                write_file(place, data, force=args.force, makes_folder=True)
        else:
            write_file(places[0], _sheet(codec, drawn, args.output), force=args.force)
    many = "1 sample" if args.count == 1 else f"{args.count:,} samples"
    say(f"{printable(args.output)}: {many} of {codec.card.label}, seed {args.seed}")
    return OK


def _check_amount(args: argparse.Namespace, card: "ModelCard") -> None:
    """Refuse stages that the model has not, and more samples than any command reads.

    Raises:
        UsageError: it says how many there may be.
    """
    if args.stages is not None and args.stages > card.config.quantizer.stages:
        most = card.config.quantizer.stages
        raise UsageError(f"--stages is 1 to {most} with this model, got {args.stages}")
    # A generator has learned its extent, which is known once it is read.
    usual = (1,) if args.generator is not None else card.config.usual_extent
    samples = args.count * math.prod(args.extent or usual)
    if samples > DEFAULT_LIMITS.max_samples:
        raise UsageError(
            f"--count and --extent ask for {samples:,} samples, more than "
            f"{DEFAULT_LIMITS.max_samples:,}"
        )


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """What only a generator is told."""
    given = {name: getattr(args, name) for name in ("label", "temperature", "top_p")}
    given = {name: value for name, value in given.items() if value is not None}
    if args.generator is None and given:
        raise UsageError("--class, --temperature and --top-p are for --generator")
    if args.generator is not None and (args.extent or args.stages):
        raise UsageError("a --generator has an extent and stages of its own")
    return given


def _places(args: argparse.Namespace, medium: Medium) -> list[Path]:
    """The files that will be written."""
    output = Path(args.output)
    if output.is_dir() or args.output.endswith(os.sep):
        suffix = STREAM_SUFFIXES[0]
        digits = max(4, len(str(args.count)))
        return [
            output / f"sample-{args.seed}-{n:0{digits}}{suffix}" for n in range(1, args.count + 1)
        ]
    if output.suffix in STREAM_SUFFIXES:
        if args.count > 1:
            raise UsageError(f"{args.output} holds one sample, not {args.count}: name a folder")
    else:
        format_of(medium, args.output)
    return [output]


def _counted(streams: Iterator[bytes], bar: DelayedProgress) -> Iterator[bytes]:
    # A generator judges the options when it draws.
    with options_refused():
        for number, data in enumerate(streams, 1):
            yield data
            bar.update(float(number))


def _sheet(codec: "Codec", streams: Iterator[bytes], target: str) -> bytes:
    """The bytes of a file that shows all of them."""
    signals: list[Any] = [codec.decode_signal(data) for data in streams]
    sheet = signals[0]
    if len(signals) > 1:
        sheet = find_workshop(codec.medium.name).sheet(signals)
    return codec.medium.write(sheet, format=format_of(codec.medium, target))
