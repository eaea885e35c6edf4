"""vqcodec train: a model for signals of one's own kind."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqcodec.errors import InputError
from vqcodec.media.registry import MEDIA, WITHOUT_MODEL, find_workshop
from vqcodec_cli import options
from vqcodec_cli.failure import OK, RefusedError, Terminated, UsageError, complain
from vqcodec_cli.output import check_output
from vqcodec_cli.progress import DelayedProgress
from vqcodec_cli.terminal import say

if TYPE_CHECKING:
    from vqcodec.media.workshop import Fitter, Skipped
    from vqcodec.model.file import ModelCard
    from vqcodec.training import Progress

EXAMPLES = """\
examples:
  vqcodec train xrays/ -o xray.safetensors --minutes 60
  vqcodec train xrays/ -o xray.safetensors --minutes 60 --resume   after an interruption
  vqcodec train camera/ -o camera.safetensors --recipe video       a week of one's own camera
  vqcodec train scenes/ -o scene.safetensors --recipe array        .npy files of one kind
  vqcodec models add xray.safetensors                              from then on: -m xray
  vqcodec train photos/ -o noise.safetensors --recipe restore --degrade noise=5-40
                                             then: encode --restore noise.safetensors"""

# Learns an analysis alone, for a model that is there.
_RESTORE = "restore"


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
        "--start-from",
        metavar="MODEL",
        help="model to start from instead of untrained networks, by name or file; with --recipe "
        "restore an encoder of that kind",
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
        help=f"named set of choices: {_listed(recipes)} (default: {default}); or {_RESTORE}, "
        "an encoder that undoes what --degrade does",
    )
    parser.add_argument(
        "--like",
        metavar="MODEL",
        help="with --recipe restore: the model that it encodes for (default: photo)",
    )
    parser.add_argument(
        "--degrade",
        metavar="D",
        help="with --recipe restore: noise, jpeg, blur or downscale, as noise=5-40 or jpeg",
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
    if args.recipe not in (*media, _RESTORE):
        raise UsageError(f"no recipe {args.recipe!r}; there are {', '.join((*media, _RESTORE))}")

    skipped: list[Path] = []

    def skip(path: Path, why: str) -> None:
        skipped.append(path)
        complain(str(path), f"skipped: {why}")

    made = _make(args, media, None if args.strict else skip)
    if skipped:
        complain(args.data, f"{len(skipped)} of its files could not be read and were skipped")
    if made is None:  # another process of a distributed run writes the weights
        return OK
    say(f"{args.output}: {made}, {os.path.getsize(args.output):,} bytes")
    return OK


def _make(
    args: argparse.Namespace, media: Mapping[str, str], skipped: "Skipped | None"
) -> str | None:
    """What was made, in words; None in a process that writes none of it."""
    if args.recipe != _RESTORE:
        fitters = find_workshop(media[args.recipe]).fitters
        if args.recipe in fitters:
            return _said(_fit(args, fitters[args.recipe]))
    return _train(args, media, skipped)


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


def _train(
    args: argparse.Namespace, media: Mapping[str, str], skipped: "Skipped | None"
) -> str | None:
    from vqcodec.training import state_path, train, train_restorer

    try:
        with DelayedProgress("training", total=1.0) as bar:
            options: dict[str, Any] = {
                "minutes": args.minutes,
                "steps": args.steps,
                "resume": args.resume,
                "device": args.device,
                "seed": args.seed,
                "skipped": skipped,
                "report": lambda progress: bar.update(*_state(progress)),
            }
            if args.recipe == _RESTORE:
                like = args.like or "photo"
                made = train_restorer(
                    args.data,
                    args.output,
                    like=like,
                    degrade=args.degrade,
                    start_from=args.start_from,
                    **options,
                )
                return f"restorer {made.name} for {made.metadata['model']} ({made.model})"
            card = train(
                args.data,
                args.output,
                medium=media[args.recipe],
                recipe=args.recipe,
                start_from=args.start_from,
                keep_codebooks=args.keep_codebooks,
                finishing=lambda what, share: bar.update(share, label=what),
                **options,
            )
            return None if card is None else _said(card)
    except FloatingPointError as error:
        raise InputError(str(error)) from error
    except (KeyboardInterrupt, Terminated):
        if state_path(Path(args.output)).exists():
            complain(args.output, "stopped; the same command with --resume goes on")
        raise


def _said(card: "ModelCard") -> str:
    return f"model {card.label} ({card.fingerprint})"


def _media_of_recipes() -> dict[str, str]:
    """Medium of every recipe, the default recipe first; no two media name one alike."""
    trained = [medium for medium in MEDIA if medium not in WITHOUT_MODEL]
    shops = {medium: find_workshop(medium) for medium in trained}
    return {
        recipe: medium
        for medium, shop in shops.items()
        for recipe in (*shop.recipes, *shop.fitters)
    }


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
        raise UsageError("--keep-codebooks needs --start-from MODEL, whose codebooks are kept")
    _check_restoring(args)
    from vqcodec.model.catalog import check_name

    try:
        check_name(Path(args.output).stem)
    except InputError as error:
        raise UsageError(str(error)) from error
    if not os.path.exists(args.data):
        raise RefusedError(0, "no such file or folder", args.data)
    check_output(Path(args.output), force=args.force or args.resume)


def _check_restoring(args: argparse.Namespace) -> None:
    restoring = args.recipe == _RESTORE
    if restoring and args.degrade is None:
        raise UsageError("--recipe restore needs --degrade: say what is to be undone, as noise")
    if restoring and args.keep_codebooks:
        raise UsageError("--recipe restore leaves all codes as they are, without --keep-codebooks")
    if not restoring and (args.like is not None or args.degrade is not None):
        raise UsageError("--like and --degrade are for --recipe restore")


def _state(progress: "Progress") -> tuple[float, str]:
    alive = sum(count for count, _ in progress.usage)
    perplexity = sum(value for _, value in progress.usage) / max(1, len(progress.usage))
    note = (
        f"step {progress.steps:,}  loss {progress.loss:.4g}  {progress.decibels:.2f} dB  "
        f"{progress.bits_per_sample:.3f} bits per sample  {alive:,} codes in use, "
        f"perplexity {perplexity:.0f}"
    )
    return progress.share, note
