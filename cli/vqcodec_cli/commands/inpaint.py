"""vqcodec inpaint: missing parts of a picture made anew."""

import argparse
from pathlib import Path
from typing import Any

from vqcodec.bitstream import limits_of
from vqcodec.media.base import Medium
from vqcodec.media.naming import with_article
from vqcodec.media.registry import medium_of
from vqcodec_cli import options
from vqcodec_cli.failure import OK, UsageError
from vqcodec_cli.inputs import find_sources
from vqcodec_cli.media import format_of, input_suffixes
from vqcodec_cli.output import check_output, write_file
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import printable, say

EXAMPLES = """\
examples:
  vqcodec train photos/ --recipe restore --degrade mask -o mask.safetensors      none is built in
  vqcodec inpaint photo.png --mask mask.png --restore mask.safetensors -o whole.png
  vqcodec inpaint photo.png --mask mask.png --restore mask.safetensors --seed 1 --count 8 -o w.png
                                                                    w-1.png to w-8.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument("input", metavar="INPUT", help="picture with parts that are missing")
    parser.add_argument(
        "--mask",
        metavar="FILE",
        required=True,
        help="picture of the same size, lighter than grey where they are",
    )
    options.add_output(parser, explanation="picture to write")
    parser.add_argument(
        "--seed",
        type=options.whole(0, 2**64 - 1),
        metavar="N",
        help="draw textures of the missing parts (default: a smooth guess)",
    )
    parser.add_argument(
        "--count",
        type=options.whole(1),
        default=1,
        metavar="N",
        help="with --seed: so many variants, OUT-1 and so on (default: 1)",
    )
    parser.add_argument(
        "--restore",
        metavar="NAME",
        default="mask",
        help="encoder that guesses, or a file of `train --recipe restore --degrade mask`",
    )
    options.add_model(parser, default="photo", explanation="model whose codes fill in the parts")
    options.add_device(parser)
    options.add_max_samples(parser)


def run(args: argparse.Namespace) -> int:
    """Fill in and write; returns the exit code."""
    if args.output is None:
        raise UsageError("say where to put the picture: -o out.png")
    if args.count > 1 and args.seed is None:
        raise UsageError(f"--count {args.count} needs a --seed: without one there is one guess")
    places = _places(Path(args.output), args.count)
    for place in places:
        check_output(place, force=args.force)
    medium, signal = _read(args.input, args)
    of_mask, mask = _read(args.mask, args)
    format_of(medium, args.output)
    if of_mask is not medium:
        mask_is, input_is = with_article(of_mask.name), with_article(medium.name)
        raise UsageError(f"{args.mask} is {mask_is}, {args.input} {input_is}")
    from vqcodec.inpainting import Inpainter, as_mask

    inpainter = Inpainter(args.model, restore=args.restore, device=args.device)
    missing = as_mask(medium.unwrap(mask), axes=len(medium.axes))
    with DelayedProgress("inpainting", total=float(args.count)) as bar:
        filled = inpainter.fill(medium.unwrap(signal), missing, count=args.count, seed=args.seed)
        for number, (place, values) in enumerate(zip(places, filled, strict=True), 1):
            data = medium.write(medium.wrap(values), format=format_of(medium, str(place)))
            write_file(place, data, force=args.force)
            bar.update(float(number))
            say(f"{printable(str(place))}: {missing.mean():.1%} filled in")
    return OK


def _read(name: str, args: argparse.Namespace) -> tuple[Medium, Any]:
    sources = find_sources([name], suffixes=input_suffixes())
    if len(sources) > 1:
        raise UsageError(f"{name} is {len(sources)} files: name one")
    data = sources[0].read()
    medium = medium_of(data)
    return medium, medium.read(data, limits_of(args.max_samples))


def _places(output: Path, count: int) -> list[Path]:
    if count == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{n}") for n in range(1, count + 1)]
