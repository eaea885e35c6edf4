"""vqcodec train: a model for one's own kind of pictures."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vqcodec_cli import options
from vqcodec_cli.failure import OK, RefusedError, UsageError
from vqcodec_cli.output import check_output
from vqcodec_cli.progress import DelayedProgress

if TYPE_CHECKING:
    from vqcodec.training import Progress

EXAMPLES = """\
examples:
  vqcodec train xrays/ -o xray.safetensors --minutes 60
  vqcodec train xrays/ -o xray.safetensors --minutes 60 --resume   after an interruption
  vqcodec models add xray.safetensors                              from then on: -m xray"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument("folder", metavar="FOLDER", help="pictures to train on, with subfolders")
    options.add_output(parser, explanation="file of weights to write (.safetensors)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=options.positive, metavar="M", help="train for M minutes")
    length.add_argument("--steps", type=options.whole(1), metavar="N", help="train for N steps")
    parser.add_argument(
        "--resume", action="store_true", help="take up an interrupted run of the same output"
    )
    parser.add_argument(
        "--recipe", default="photo", metavar="NAME", help="named set of choices (default: photo)"
    )
    parser.add_argument(
        "--seed", type=options.whole(0), default=0, metavar="N", help="seed of the run (default: 0)"
    )
    options.add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit code."""
    if args.output is None:
        raise UsageError("say where to put the weights: -o FILE.safetensors")
    if not args.output.endswith(".safetensors"):
        raise UsageError(f"weights are a .safetensors file, not {args.output}")
    if not os.path.isdir(args.folder):
        raise RefusedError(0, "no such folder", args.folder)
    check_output(Path(args.output), force=args.force or args.resume)

    from vqcodec.training import train

    with DelayedProgress("training", total=1.0) as bar:
        train(
            args.folder,
            args.output,
            minutes=args.minutes,
            steps=args.steps,
            resume=args.resume,
            device=args.device,
            recipe=args.recipe,
            seed=args.seed,
            report=lambda progress: bar.update(*_state(progress)),
        )
    print(f"{args.output}: {os.path.getsize(args.output):,} bytes")
    return OK


def _state(progress: "Progress") -> tuple[float, str]:
    alive = sum(count for count, _ in progress.usage)
    perplexity = sum(value for _, value in progress.usage) / max(1, len(progress.usage))
    note = (
        f"step {progress.steps:,}  loss {progress.loss:.4g}  {progress.psnr:.2f} dB  "
        f"{progress.bits_per_pixel:.3f} bpp  {alive:,} codes in use, perplexity {perplexity:.0f}"
    )
    return progress.share, note
