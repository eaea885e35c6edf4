"""vqcodec verify: whether .vqc files are whole and undamaged."""

import argparse
from typing import Any

from vqcodec.bitstream import limits_of
from vqcodec.stream_info import inspect
from vqcodec_cli import options
from vqcodec_cli.batch import Tell, run_batch
from vqcodec_cli.inputs import STREAM_SUFFIXES, Source, find_sources
from vqcodec_cli.terminal import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "inputs", metavar="FILE", nargs="+", help=".vqc files, folders, patterns, or - for stdin"
    )
    options.add_max_samples(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Check structure, lengths and every checksum of each file; returns the exit code."""

    def work(source: Source, _: Tell) -> tuple[dict[str, Any], str]:
        info = inspect(source.read(), limits_of(args.max_samples))
        record = {"input": source.name, "bytes": info.file_bytes, "ok": True}
        return record, f"{printable(source.name)}: ok"

    sources = find_sources(args.inputs, suffixes=STREAM_SUFFIXES)
    return run_batch(sources, work, label="checking", as_json=args.json)
