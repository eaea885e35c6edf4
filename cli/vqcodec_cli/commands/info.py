"""vqcodec info: what a .vqc file holds, decoded at most for a thumbnail."""

import argparse
import functools
from dataclasses import asdict
from typing import Any

import vqcodec
from vqcodec.bitstream import Stream, limits_of
from vqcodec.media.base import Medium
from vqcodec.media.registry import WITHOUT_MODEL, find_medium, read_any_stream
from vqcodec.stream_info import StreamInfo, describe_stream
from vqcodec_cli import options
from vqcodec_cli.batch import Tell, run_batch
from vqcodec_cli.failure import UsageError
from vqcodec_cli.inputs import STREAM_SUFFIXES, Source, find_sources
from vqcodec_cli.media import check_format, format_of, look_at_rest, partial_hinted
from vqcodec_cli.output import STDOUT, check_stdout, need_stdout
from vqcodec_cli.plan import Job
from vqcodec_cli.terminal import printable

_THUMBNAIL = 1 / 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "inputs", metavar="FILE", nargs="+", help=".vqc files, folders, patterns, or - for stdin"
    )
    parser.add_argument(
        "--thumbnail",
        metavar="OUT",
        help="also decode FILE at an eighth of its size into this file, such as small.png; with - "
        "it goes to stdout, and nothing else does",
    )
    options.add_force(parser)
    options.add_max_samples(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Describe every file; returns the exit code."""
    need_stdout()

    @functools.cache
    def installed() -> dict[str, str]:
        """Names of the models that are here, by fingerprint."""
        from vqcodec.model.catalog import list_models

        return {card.fingerprint: card.label for card in list_models()}

    limits = limits_of(args.max_samples)

    def work(source: Source, _: Tell) -> tuple[dict[str, Any], str]:
        data = source.read()
        with partial_hinted(lambda: look_at_rest(data, limits)):
            medium, stream = read_any_stream(data, limits)
        info = describe_stream(medium, stream, size=len(data), limits=limits)
        thumbnail = None
        if args.thumbnail is not None:
            thumbnail = _write_thumbnail(medium, stream, Job(source, args.thumbnail, args.force))
        model = installed().get(info.fingerprint)
        fields = asdict(info)
        extent, facts = fields.pop("extent"), fields.pop("facts")
        record = {"input": source.name, **fields, **extent, **facts, "installed_model": model}
        text = _text(source.name, info, model)
        if thumbnail is not None:
            record["thumbnail"] = args.thumbnail
            text += f"\n  thumbnail {thumbnail}"
        return record, text

    sources = find_sources(args.inputs, suffixes=STREAM_SUFFIXES)
    if args.thumbnail is not None:
        if len(sources) > 1:
            raise UsageError(f"--thumbnail is for one file, got {len(sources)}")
        if args.thumbnail == STDOUT:
            check_stdout(what="a thumbnail")
            if args.json:
                raise UsageError("--json and the thumbnail cannot share standard output")
        check_format(args.thumbnail)
    quiet = args.thumbnail == STDOUT
    return run_batch(sources, work, label="reading", as_json=args.json, quiet=quiet)


def _write_thumbnail(medium: Medium, stream: Stream, job: Job) -> str:
    """Write it; gives its name and size."""
    job.check()
    format = format_of(medium, job.target)
    from vqcodec.model.catalog import locate_model

    path = locate_model(stream.header.fingerprint.hex())  # raises before torch is loaded
    codec = vqcodec.load(path)
    small = codec.decode_signal(stream, scale=_THUMBNAIL)
    job.write(medium.write(small, format=format))
    return f"{printable(job.target)}, {medium.size_text(small.extent)}"


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
        "model": _model(info, model),
        "format": f"version {info.format_version}",
    }
    lines = [f"  {key:<9} {value}" for key, value in rows.items()]
    return "\n".join([printable(name), *lines])


def _model(info: StreamInfo, model: str | None) -> str:
    """What decoding needs besides the file."""
    if not int(info.fingerprint, 16):
        return "none is needed"
    if info.medium in WITHOUT_MODEL:
        return f"none, but the codebook {info.fingerprint}: --codebook FILE"
    return f"{printable(model or 'not installed')} ({info.fingerprint})"


def _said(fact: str, value: Any) -> str:
    """A fact of a medium: rates as `0.250 bpp`, anything else as `name value`."""
    if isinstance(value, dict):
        return printable(", ".join(f"{name}: {text}" for name, text in value.items()))
    if isinstance(value, float) and abs(value) >= 0.001:
        return f"{value:.3f} {fact}"
    return printable(f"{fact} {value}")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
