"""vqcodec info: what a .vqc file holds, without decoding it."""

import argparse
import functools
from dataclasses import asdict
from typing import Any

from vqcodec.bitstream import limits_of
from vqcodec.media.registry import find_medium
from vqcodec.stream_info import StreamInfo, inspect
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
    """Describe every file; returns the exit code."""

    @functools.cache
    def installed() -> dict[str, str]:
        """Names of the models that are here, by fingerprint."""
        from vqcodec.model.catalog import list_models

        return {card.fingerprint: card.label for card in list_models()}

    def work(source: Source, _: Tell) -> tuple[dict[str, Any], str]:
        info = inspect(source.read(), limits_of(args.max_samples))
        model = installed().get(info.fingerprint)
        fields = asdict(info)
        extent, facts = fields.pop("extent"), fields.pop("facts")
        record = {"input": source.name, **fields, **extent, **facts, "installed_model": model}
        return record, _text(source.name, info, model)

    sources = find_sources(args.inputs, suffixes=STREAM_SUFFIXES)
    return run_batch(sources, work, label="reading", as_json=args.json)


def _text(name: str, info: StreamInfo, model: str | None) -> str:
    size = find_medium(info.medium).size_text(tuple(info.extent.values()), info.channels)
    beside = {fact: value for fact, value in info.facts.items() if fact.endswith("_bytes")}
    others = [_said(fact, info.facts[fact]) for fact in info.facts if fact not in beside]
    pieces = [f"{fact.removesuffix('_bytes')} {n:,} bytes" for fact, n in beside.items() if n]
    rows = {
        info.medium: size,
        "file": ", ".join([f"{info.file_bytes:,} bytes", *others]),
        "codes": f"{info.code_bytes:,} bytes, {_count(info.regions, 'region')}, "
        f"{_count(info.stages, 'stage')}, {info.prior} prior",
        "beside": ", ".join(pieces) or "nothing",
        "model": f"{printable(model or 'not installed')} ({info.fingerprint})",
        "format": f"version {info.format_version}",
    }
    lines = [f"  {key:<9} {value}" for key, value in rows.items()]
    return "\n".join([printable(name), *lines])


def _said(fact: str, value: Any) -> str:
    """A fact of a medium: rates as `0.250 bpp`, anything else as `name value`."""
    return f"{value:.3f} {fact}" if isinstance(value, float) else printable(f"{fact} {value}")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
