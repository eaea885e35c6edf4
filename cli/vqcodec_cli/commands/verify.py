"""vqcodec verify: whether .vqc files are whole and undamaged."""

import argparse
from typing import Any

from vqcodec_cli import options
from vqcodec_cli.batch import run_batch
from vqcodec_cli.failure import printable
from vqcodec_cli.inputs import STREAM_SUFFIXES, Source, find_sources
from vqcodec_cli.limits import limits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "inputs", metavar="FILE", nargs="+", help=".vqc files, folders, patterns, or - for stdin"
    )
    options.add_max_pixels(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Check structure, lengths and every checksum of each file; returns the exit code."""

    def work(source: Source) -> dict[str, Any]:
        from vqcodec.stream_info import inspect

        info = inspect(source.read(), limits(args.max_pixels))
        return {"input": source.name, "bytes": info.file_bytes, "ok": True}

    sources = find_sources(args.inputs, suffixes=STREAM_SUFFIXES)
    return run_batch(sources, work, label="checking", show=_text, as_json=args.json)


def _text(record: Any) -> str:
    return f"{printable(record['input'])}: ok"
