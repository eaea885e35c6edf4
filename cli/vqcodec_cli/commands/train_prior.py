"""vqcodec train-prior: a prior that knows a model's codes well enough to draw new signals."""

import argparse
import os
from pathlib import Path

from vqcodec.errors import InputError
from vqcodec_cli import options
from vqcodec_cli.failure import OK, RefusedError, UsageError
from vqcodec_cli.output import check_output
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import say

EXAMPLES = """\
examples:
  vqcodec train-prior digits.idx --labels classes.idx -m digits.safetensors -o drawn.safetensors
  vqcodec sample -m digits.safetensors --generator drawn.safetensors --class 7 -o seven.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "data",
        metavar="DATA",
        help="an IDX file of small pictures, or a folder whose subfolders are the classes",
    )
    options.add_output(parser, explanation="file to write (.safetensors)")
    options.add_model(parser, default=None, explanation="model whose codes it learns to draw")
    parser.add_argument(
        "--labels", metavar="FILE", help="IDX file with the class of each picture of an IDX file"
    )
    parser.add_argument(
        "--extent",
        type=options.lengths,
        metavar="N,..",
        help="take parts of so many samples of the signals of a folder, as 64,64",
    )
    parser.add_argument(
        "--stages", type=options.whole(1), metavar="N", help="learn the first N stages of codes"
    )
    parser.add_argument(
        "--network",
        choices=("transformer", "recurrent"),
        default="transformer",
        help="what learns: attention to all codes before, or a state carried from code to code "
        "(default: transformer)",
    )
    parser.add_argument(
        "--steps", type=options.whole(1), default=5000, metavar="N", help="default: 5000"
    )
    parser.add_argument(
        "--seed", type=options.whole(0), default=0, metavar="N", help="seed of the run (default: 0)"
    )
    options.add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit code."""
    _check(args)
    from vqcodec.training import train_generator

    with DelayedProgress("training", total=1.0) as bar:
        card = train_generator(
            args.data,
            args.output,
            model=args.model,
            labels=args.labels,
            extent=args.extent,
            stages=args.stages,
            network=args.network,
            steps=args.steps,
            seed=args.seed,
            device=args.device,
            report=lambda now: bar.update(
                now.share,
                f"step {now.steps:,}  {now.bits:.2f} bits a code, {now.held_out_bits:.2f} held out",
            ),
        )
    facts, size = card.metadata, os.path.getsize(args.output)
    say(
        f"{args.output}: generator {card.name} for {card.model}, {size:,} bytes; of signals held "
        f"out {facts['bits_per_code']:.2f} bits a code, of the model's prior "
        f"{facts.get('bits_per_code_mixing', float('nan')):.2f}"
    )
    return OK


def _check(args: argparse.Namespace) -> None:
    if args.output is None or args.model is None:
        raise UsageError("say of which model and where to: -m MODEL -o FILE.safetensors")
    if not args.output.endswith(".safetensors"):
        raise UsageError(f"a prior is a .safetensors file, not {args.output}")
    from vqcodec.model.catalog import check_name

    try:
        check_name(Path(args.output).stem)
    except InputError as error:
        raise UsageError(str(error)) from error
    for path in (args.data, args.labels):
        if path is not None and not os.path.exists(path):
            raise RefusedError(0, "no such file or folder", path)
    check_output(Path(args.output), force=args.force)
