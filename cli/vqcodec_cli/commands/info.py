"""vqcodec info: what a .vqc file holds, without decoding it."""

import argparse
import functools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vqcodec_cli import options
from vqcodec_cli.batch import run_batch
from vqcodec_cli.failure import printable
from vqcodec_cli.inputs import STREAM_SUFFIXES, Source, find_sources

if TYPE_CHECKING:
    from vqcodec.media.base import Medium
    from vqcodec.stream_info import StreamInfo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "inputs", metavar="FILE", nargs="+", help=".vqc files, folders, patterns, or - for stdin"
    )
    options.add_max_samples(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Describe every file; returns the exit code."""

    def work(source: Source) -> tuple[dict[str, Any], str]:
        from vqcodec.bitstream import limits_of
        from vqcodec.media.registry import find_medium
        from vqcodec.stream_info import inspect

        info = inspect(source.read(), limits_of(args.max_samples))
        model = _installed().get(info.fingerprint)
        fields = asdict(info)
        extent, facts = fields.pop("extent"), fields.pop("facts")
        record = {"input": source.name, **fields, **extent, **facts, "installed_model": model}
        return record, _text(source.name, info, find_medium(info.medium), model)

    sources = find_sources(args.inputs, suffixes=STREAM_SUFFIXES)
    return run_batch(sources, work, label="reading", as_json=args.json)


@functools.cache
def _installed() -> dict[str, str]:
    """Names of the models that are here, by fingerprint; looked up once."""
    from vqcodec.model.catalog import list_models

    return {card.fingerprint: card.label for card in list_models()}


def _text(name: str, info: "StreamInfo", medium: "Medium", model: str | None) -> str:
    size = medium.size_text(tuple(info.extent.values()), info.channels)
    kept = {fact: value for fact, value in info.facts.items() if fact.endswith("_bytes") and value}
    facts = [f"{fact.removesuffix('_bytes')} {value:,} bytes" for fact, value in kept.items()]
    rates = [
        f"{value:.3f} {fact}" for fact, value in info.facts.items() if fact not in kept and value
    ]
    rows = {
        info.medium: size,
        "file": ", ".join([f"{info.file_bytes:,} bytes", *rates]),
        "codes": f"{info.code_bytes:,} bytes, {_count(info.regions, 'region')}, "
        f"{_count(info.stages, 'stage')}, {info.prior} prior",
        "beside": ", ".join(facts) or "nothing",
        "model": f"{printable(model or 'not installed')} ({info.fingerprint})",
        "format": f"version {info.format_version}",
    }
    lines = [f"  {key:<9} {value}" for key, value in rows.items()]
    return "\n".join([printable(name), *lines])


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
