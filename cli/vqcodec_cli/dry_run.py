"""What `--dry-run` says: which input would become which output, by which model, and what fails."""

import argparse
import os
from typing import Any

from vqcodec.bitstream import MAX_HEADER_BYTES, limits_of, read_header
from vqcodec.media.base import Medium
from vqcodec.media.registry import RECIPES, find_coder, find_medium, medium_of, medium_of_number
from vqcodec_cli.batch import Record
from vqcodec_cli.media import format_of, medium_of_raw
from vqcodec_cli.medium_options import check_medium_options
from vqcodec_cli.output import STDOUT
from vqcodec_cli.plan import Job
from vqcodec_cli.recording import refuse_recording
from vqcodec_cli.streaming import check_streaming, streaming_of
from vqcodec_cli.terminal import printable

# What a medium is told by.
_HEAD_BYTES = 64


def preview_encoding(job: Job, args: argparse.Namespace) -> tuple[Record, str]:
    """What encoding would make of an input, told by its first bytes alone.

    Raises:
        OSError: it is not there, or its output could not be written.
        ModelError: there is no such model.
        UsageError: an option is for another medium.
    """
    from vqcodec.model.catalog import locate_model
    from vqcodec.model.file import read_card

    job.check()
    job.source.check()
    card = None if args.model is None else read_card(locate_model(args.model))
    if card is not None:
        medium = find_medium(card.config.medium.kind)
    elif args.recipe is not None:
        medium = find_medium(RECIPES[args.recipe])
    elif args.raw is not None:
        medium = medium_of_raw()
    else:
        medium = medium_of(job.source.head(_HEAD_BYTES))
    check_medium_options(args, medium)
    if card is None and find_coder(medium) is None:
        card = read_card(locate_model(medium.default_model))
    return _said(job, medium, None if card is None else card.label)


def preview_decoding(job: Job, args: argparse.Namespace) -> tuple[Record, str]:
    """What decoding would make of a stream, told by its header alone.

    Raises:
        OSError, ModelError: as `preview_encoding`.
        FormatError: its header is none.
        UsageError: its medium has no such format, or option.
    """
    from vqcodec.model.catalog import locate_model
    from vqcodec.model.file import read_card

    limits = limits_of(args.max_samples)
    job.source.check()
    streaming = streaming_of(args, job, limits)
    if streaming is not None:
        check_streaming(args, job, *streaming)
        return _said(job, streaming[0], None)
    job.check()
    header = read_header(job.source.head(MAX_HEADER_BYTES), limits)
    medium = medium_of_number(header.medium)
    format_of(medium, job.target, raw=args.raw)
    refuse_recording(args, medium)
    if find_coder(medium) is not None:
        return _said(job, medium, None)
    card = read_card(locate_model(args.model or header.fingerprint.hex()))
    return _said(job, medium, card.label)


def _said(job: Job, medium: Medium, model: str | None) -> tuple[Record, str]:
    replaces = job.target != STDOUT and os.path.lexists(job.target)
    record: dict[str, Any] = {
        "input": job.name,
        "output": job.target,
        "medium": medium.name,
        "model": model,
        "replaces": replaces,
        "dry_run": True,
    }
    by = "" if model is None else f", with {model}"
    verb = "be replaced" if replaces else "be written"
    return record, printable(f"{job.target}: would {verb}: {medium.name} {job.name}{by}")
