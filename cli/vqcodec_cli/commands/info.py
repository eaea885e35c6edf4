"""vqcodec info: what a .vqc file holds, without decoding it."""

import argparse
from dataclasses import asdict
from typing import Any

from vqcodec_cli import options
from vqcodec_cli.batch import run_batch
from vqcodec_cli.failure import printable
from vqcodec_cli.inputs import STREAM_SUFFIXES, Source, find_sources
from vqcodec_cli.limits import limits

CHANNELS = {1: "grey", 2: "grey + alpha", 3: "RGB", 4: "RGBA"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "inputs", metavar="FILE", nargs="+", help=".vqc files, folders, patterns, or - for stdin"
    )
    options.add_max_pixels(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Describe every file; returns the exit code."""

    def work(source: Source) -> dict[str, Any]:
        from vqcodec.stream_info import inspect

        info = asdict(inspect(source.read(), limits(args.max_pixels)))
        return {"input": source.name, **info, **_model(info["fingerprint"])}

    sources = find_sources(args.inputs, suffixes=STREAM_SUFFIXES)
    return run_batch(sources, work, label="reading", show=_text, as_json=args.json)


def _model(fingerprint: str) -> dict[str, str | None]:
    from vqcodec.model.catalog import list_models, published_label

    installed = {card.fingerprint: card.label for card in list_models()}
    return {
        "installed_model": installed.get(fingerprint),
        "published_model": published_label(fingerprint),
    }


def _text(record: Any) -> str:
    missing = record["published_model"] or record["model_name"] or "unnamed"
    model = record["installed_model"] or f"{missing}, not installed"
    extras = [
        f"{label} {record[key]:,} bytes"
        for label, key in [("colour profile", "icc_bytes"), ("EXIF", "exif_bytes")]
        if record[key]
    ]
    rows = {
        "picture": f"{record['width']} x {record['height']} {CHANNELS[record['channels']]}",
        "file": f"{record['file_bytes']:,} bytes, {record['bits_per_pixel']:.3f} bpp",
        "codes": f"{record['code_bytes']:,} bytes, {_count(record['tiles'], 'tile')}, "
        f"stages {', '.join(map(str, record['stages']))}, {record['prior']} prior",
        "metadata": ", ".join(extras) or "none",
        "model": f"{printable(model)} ({record['fingerprint']})",
        "format": f"version {record['format_version']}",
    }
    lines = [f"  {key:<9} {value}" for key, value in rows.items()]
    return "\n".join([printable(record["input"]), *lines])


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
