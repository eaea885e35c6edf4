"""vqcodec train: a model for signals of one's own kind."""

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vqcodec.errors import InputError
from vqcodec.media.registry import MEDIA, WITHOUT_MODEL, find_workshop
from vqcodec_cli import options
from vqcodec_cli.failure import OK, RefusedError, Terminated, UsageError, complain
from vqcodec_cli.output import check_output
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import say

if TYPE_CHECKING:
    from vqcodec.media.workshop import Skipped
    from vqcodec.model.file import ModelCard
    from vqcodec.training import Progress

    Fitter = Callable[..., ModelCard]

EXAMPLES = """\
examples:
  vqcodec train xrays/ -o xray.safetensors --minutes 60
  vqcodec train xrays/ -o xray.safetensors --minutes 60 --resume   after an interruption
  vqcodec train camera/ -o camera.safetensors --recipe video       a week of one's own camera
  vqcodec models add xray.safetensors                              from then on: -m xray"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    recipes = _media_of_recipes()
    default = next(iter(recipes))
    parser.add_argument(
        "data", metavar="FOLDER", help="files to train on, with subfolders; or an IDX file"
    )
    options.add_output(parser, explanation="file of weights to write (.safetensors)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes",
        type=options.positive,
        metavar="M",
        help="train for M minutes (default: as long as the recipe says)",
    )
    length.add_argument("--steps", type=options.whole(1), metavar="N", help="train for N steps")
    parser.add_argument(
        "--resume", action="store_true", help="take up an interrupted run of the same output"
    )
    parser.add_argument(
        "--start-from", metavar="FILE", help="weights to start from instead of untrained networks"
    )
    parser.add_argument(
        "--keep-codebooks",
        action="store_true",
        help="with --start-from: leave the codebooks as they are, so that codes keep their meaning",
    )
    parser.add_argument(
        "--recipe",
        default=default,
        metavar="NAME",
        help=f"named set of choices: {_listed(recipes)} (default: {default})",
    )
    parser.add_argument(
        "--seed", type=options.whole(0), default=0, metavar="N", help="seed of the run (default: 0)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="stop at a file that cannot be read; skip none"
    )
    options.add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit code."""
    _check(args)
    media = _media_of_recipes()
    if args.recipe not in media:
        raise UsageError(f"no recipe {args.recipe!r}; there are {', '.join(media)}")

    skipped: list[Path] = []

    def skip(path: Path, why: str) -> None:
        skipped.append(path)
        complain(str(path), f"skipped: {why}")

    fitters = _fitters(media[args.recipe])
    if args.recipe in fitters:
        card: ModelCard | None = _fit(args, fitters[args.recipe])
    else:
        card = _train(args, media[args.recipe], None if args.strict else skip)
    if skipped:
        complain(args.data, f"{len(skipped)} of its files could not be read and were skipped")
    if card is None:  # another process of a distributed run writes the weights
        return OK
    size = os.path.getsize(args.output)
    say(f"{args.output}: model {card.label} ({card.fingerprint}), {size:,} bytes")
    return OK


def _fit(args: argparse.Namespace, fitter: "Fitter") -> "ModelCard":
    """Fit codebooks to networks that are there already."""
    for name in ("steps", "start_from"):
        if getattr(args, name) is not None:
            raise UsageError(f"the recipe {args.recipe} has no --{name.replace('_', '-')}")
    if args.resume:
        raise UsageError(f"the recipe {args.recipe} has no --resume: it takes minutes")
    with DelayedProgress("training", total=1.0) as bar:
        return fitter(
            [Path(args.data)],
            Path(args.output),
            name=Path(args.output).stem,
            minutes=args.minutes,
            seed=args.seed,
            device=args.device,
            report=lambda what, share: bar.update(min(share, 1.0), label=what),
        )


def _train(args: argparse.Namespace, medium: str, skipped: "Skipped | None") -> "ModelCard | None":
    from vqcodec.training import state_path, train

    try:
        with DelayedProgress("training", total=1.0) as bar:
            return train(
                args.data,
                args.output,
                medium=medium,
                recipe=args.recipe,
                minutes=args.minutes,
                steps=args.steps,
                resume=args.resume,
                start_from=args.start_from,
                keep_codebooks=args.keep_codebooks,
                device=args.device,
                seed=args.seed,
                skipped=skipped,
                report=lambda progress: bar.update(*_state(progress)),
                finishing=lambda what, share: bar.update(share, label=what),
            )
    except FloatingPointError as error:
        raise InputError(str(error)) from error
    except (KeyboardInterrupt, Terminated):
        if state_path(Path(args.output)).exists():
            complain(args.output, "stopped; the same command with --resume goes on")
        raise


def _media_of_recipes() -> dict[str, str]:
    """Medium of every recipe, the default recipe first; no two media name one alike."""
    trained = [medium for medium in MEDIA if medium not in WITHOUT_MODEL]
    return {
        recipe: medium
        for medium in trained
        for recipe in (*find_workshop(medium).recipes, *_fitters(medium))
    }


def _fitters(medium: str) -> "Mapping[str, Fitter]":
    """Recipes that fit codebooks alone, to networks that are there already."""
    found: Mapping[str, Fitter] = getattr(find_workshop(medium), "fitters", {})
    return found


def _listed(media: Mapping[str, str]) -> str:
    """Recipes medium by medium: "for pictures photo, digits; for sounds speech"."""
    return "; ".join(
        f"for {medium}s {', '.join(name for name, of in media.items() if of == medium)}"
        for medium in dict.fromkeys(media.values())
    )


def _check(args: argparse.Namespace) -> None:
    if args.output is None:
        raise UsageError("say where to put the weights: -o FILE.safetensors")
    if not args.output.endswith(".safetensors"):
        raise UsageError(f"weights are a .safetensors file, not {args.output}")
    if args.keep_codebooks and args.start_from is None and not args.resume:
        raise UsageError("--keep-codebooks needs --start-from FILE, whose codebooks are kept")
    from vqcodec.model.catalog import check_name

    try:
        check_name(Path(args.output).stem)
    except InputError as error:
        raise UsageError(str(error)) from error
    if not os.path.exists(args.data):
        raise RefusedError(0, "no such file or folder", args.data)
    check_output(Path(args.output), force=args.force or args.resume)


def _state(progress: "Progress") -> tuple[float, str]:
    alive = sum(count for count, _ in progress.usage)
    perplexity = sum(value for _, value in progress.usage) / max(1, len(progress.usage))
    note = (
        f"step {progress.steps:,}  loss {progress.loss:.4g}  {progress.decibels:.2f} dB  "
        f"{progress.bits_per_sample:.3f} bits per sample  {alive:,} codes in use, "
        f"perplexity {perplexity:.0f}"
    )
    return progress.share, note
