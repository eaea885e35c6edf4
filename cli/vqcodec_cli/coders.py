"""What is encoded without a model: the options of its own, and a codebook learned on the way."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vqcodec.bitstream import Stream
from vqcodec.media.base import Medium
from vqcodec.media.coder import Coder
from vqcodec.media.naming import with_article
from vqcodec.media.registry import RECIPES, find_coder, find_medium, list_media
from vqcodec.remote import is_url
from vqcodec_cli.batch import Tell
from vqcodec_cli.failure import UsageError
from vqcodec_cli.media import looks_like_file
from vqcodec_cli.output import STDOUT, check_output, write_file
from vqcodec_cli.plan import Job
from vqcodec_cli.recording import add_recording

__all__ = [
    "OF_CODERS",
    "check_coder_options",
    "check_recipe",
    "check_recipe_input",
    "codebook_options",
    "encode_by_coder",
]

# Options of media that code their signals without a model.
OF_CODERS = (
    *("max_error", "max_relative_error", "lossless", "missing", "chunk"),
    *("bytes_per_vector", "codebook"),
)
_OTHERS = ("quality", "bpp", "kbps", "size", "psnr")
_OF_MODELS = ("model", "restore", "raw")


def encode_by_coder(
    coder: Coder,
    signal: Any,
    args: argparse.Namespace,
    threads: int | None,
    tell: Tell,
) -> bytes:
    """The stream of a signal, by the options that are its medium's own, which were checked."""
    given = {
        name: value for name in (*_OTHERS, *OF_CODERS) if (value := getattr(args, name)) is not None
    }
    if "effort" in coder.options:
        given["effort"] = args.effort
    if args.new_codebook is not None:
        given["codebook"] = _learn_codebook(signal, args, threads, tell)
    stream = coder.encode(signal, **given, threads=threads, progress=tell)
    if args.new_codebook is not None:
        # Only now: a codebook of no stream is left behind nowhere.
        write_file(Path(args.new_codebook), given["codebook"], force=args.force)
    return stream


def check_recipe(args: argparse.Namespace, jobs: Sequence[Job]) -> None:
    """Refuse options that a recipe has not, or that it lacks, before any work begins.

    Raises:
        UsageError: naming them. OSError: there is no such codebook, or a new one cannot be written.
    """
    _check_new_codebook(args, jobs)
    if args.recipe is None:
        return
    medium = find_medium(RECIPES[args.recipe])
    coder = find_coder(medium)
    if coder is None:
        return
    check_coder_options(medium, coder, args)
    if args.bytes_per_vector is None:
        raise UsageError(
            f"--recipe {args.recipe} needs --bytes-per-vector: 16 for a first search, 32 or more "
            "where the order of the nearest matters; there is no default"
        )
    if args.codebook is not None:
        _check_there(args.codebook)


def check_recipe_input(args: argparse.Namespace, head: bytes) -> None:
    """Refuse an input that is by its first bytes of another kind than those of the recipe."""
    recipe = find_medium(RECIPES[args.recipe])
    told = next((medium for medium in list_media() if medium.recognises(head)), None)
    if told is not None and not set(told.suffixes) & set(recipe.formats):
        wanted = " or ".join(recipe.formats)
        raise UsageError(
            f"is {with_article(told.name)}: --recipe {args.recipe} is for {wanted} files"
        )


def codebook_options(args: argparse.Namespace, medium: Medium, stream: Stream) -> dict[str, str]:
    """What decoding is told of --codebook.

    Raises:
        UsageError: the medium knows none, or the stream has its own. OSError: no such file.
    """
    if args.codebook is None:
        return {}
    coder = find_coder(medium)
    if coder is None or "codebook" not in coder.decode_options:
        raise UsageError(f"the medium {medium.name} has no --codebook")
    if not any(stream.header.fingerprint):
        raise UsageError("it has a codebook of its own: leave out --codebook")
    _check_there(args.codebook)
    return {"codebook": args.codebook}


def check_coder_options(medium: Medium, coder: Coder, args: argparse.Namespace) -> None:
    """Refuse what is given and would be left aside. Raises: UsageError: naming it."""
    given = [name for name in (*_OTHERS, *OF_CODERS) if getattr(args, name) is not None]
    given += [name for name in _OF_MODELS if getattr(args, name) is not None]
    usual = argparse.ArgumentParser()
    add_recording(usual)
    given += [
        name for name, value in vars(usual.parse_args([])).items() if getattr(args, name) != value
    ]
    for name in given:
        if name not in coder.options:
            known = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(coder.options))
            raise UsageError(
                f"the medium {medium.name} has no --{name.replace('_', '-')}: it has {known}"
            )


def _check_there(name: str) -> None:
    """Refuse a file that is missing, as any other. Raises: OSError."""
    if not is_url(name):
        os.stat(name)


def _check_new_codebook(args: argparse.Namespace, jobs: Sequence[Job]) -> None:
    """Refuse a codebook that cannot be made of these jobs, before any work begins.

    Raises:
        UsageError: its name is that of something else, or there already, or there is not one input
            of vectors to learn from.
        OSError: it could not be written.
    """
    name = args.new_codebook
    if name is None:
        return
    if args.recipe not in RECIPES or len(jobs) != 1 or args.codebook is not None:
        raise UsageError("--new-codebook is for one input, of vectors, without --codebook")
    if args.bytes_per_vector is None:
        raise UsageError("--new-codebook needs --bytes-per-vector")
    if name in ("", STDOUT):
        raise UsageError(f"--new-codebook needs a file of its own, got {name!r}")
    others = {"input": jobs[0].source.name, "output": jobs[0].target, "manifest": args.manifest}
    for what, other in others.items():
        if other is not None and _is_same(name, other):
            raise UsageError(f"--new-codebook {name} is the {what}")
    if looks_like_file(name):
        proper = Path(name).with_suffix(".vqb")
        raise UsageError(f"{name} would hold a codebook: name it {proper}")
    if os.path.isfile(name) and not args.force:
        raise UsageError(f"{name} exists already: -f replaces it, --codebook uses it")
    check_output(Path(name), force=args.force)


def _is_same(one: str, other: str) -> bool:
    """Whether two names are of one file, which need not be there: two hard links are."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _learn_codebook(
    signal: Any, args: argparse.Namespace, threads: int | None, tell: Tell
) -> bytes:
    """The bytes of a codebook of vectors."""
    from vqcodec.vectors import train_codebook

    return train_codebook(
        signal,
        bytes_per_vector=args.bytes_per_vector,
        effort=args.effort,
        max_samples=args.max_samples,
        threads=threads,
        progress=tell,
    )
