"""What is encoded without a model: the options of its own, and a codebook learned on the way."""

import argparse
import os
from pathlib import Path
from typing import Any

from vqcodec.files import write_whole
from vqcodec.media.base import Medium
from vqcodec.media.coder import Coder
from vqcodec.media.registry import RECIPES
from vqcodec_cli.batch import Tell
from vqcodec_cli.failure import UsageError

__all__ = ["OF_CODERS", "check_new_codebook", "encode_by_coder"]

# Options of media that code their signals without a model.
OF_CODERS = (
    *("max_error", "max_relative_error", "lossless", "missing", "chunk"),
    *("bytes_per_vector", "codebook"),
)
_OTHERS = ("quality", "bpp", "kbps", "size", "psnr")


def encode_by_coder(
    medium: Medium,
    coder: Coder,
    signal: Any,
    args: argparse.Namespace,
    threads: int | None,
    tell: Tell,
) -> bytes:
    """The stream of a signal, by the options that are its medium's own.

    Raises:
        UsageError: an option that it does not have.
    """
    given = {
        name: value for name in (*_OTHERS, *OF_CODERS) if (value := getattr(args, name)) is not None
    }
    for name in given:
        if name not in coder.options:
            known = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(coder.options))
            raise UsageError(
                f"the medium {medium.name} has no --{name.replace('_', '-')}: it has {known}"
            )
    if "effort" in coder.options:
        given["effort"] = args.effort
    if args.new_codebook is not None:
        given["codebook"] = _write_codebook(signal, args, threads, tell)
    return coder.encode(signal, **given, threads=threads, progress=tell)


def check_new_codebook(args: argparse.Namespace, *, inputs: int) -> None:
    """Refuse a codebook that cannot be made of this, before any work begins.

    Raises:
        UsageError: it is there already, or there is not one input of vectors to learn from.
    """
    name = args.new_codebook
    if name is None:
        return
    if args.recipe not in RECIPES or inputs != 1 or args.codebook is not None:
        raise UsageError("--new-codebook is for one input, of vectors, without --codebook")
    if args.bytes_per_vector is None:
        raise UsageError("--new-codebook needs --bytes-per-vector")
    if os.path.exists(name) and not args.force:
        raise UsageError(f"{name} exists already: -f replaces it, --codebook uses it")


def _write_codebook(signal: Any, args: argparse.Namespace, threads: int | None, tell: Tell) -> str:
    """Learn a codebook of vectors and write its file; gives its name."""
    from vqcodec.vectors import train_codebook

    made = train_codebook(
        signal,
        bytes_per_vector=args.bytes_per_vector,
        effort=args.effort,
        threads=threads,
        progress=tell,
    )
    write_whole(Path(args.new_codebook), made)
    name: str = args.new_codebook
    return name
