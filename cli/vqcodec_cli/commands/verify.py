"""vqcodec verify: whether .vqc files are whole and undamaged."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import Limits, limits_of
from vqcodec.media.naming import with_article
from vqcodec.media.registry import (
    find_coder,
    find_streaming_coder,
    read_any_stream,
    signal_of,
)
from vqcodec.stream_info import inspect
from vqcodec_cli import options
from vqcodec_cli.batch import Tell, run_batch
from vqcodec_cli.coders import codebook_options
from vqcodec_cli.failure import UsageError
from vqcodec_cli.inputs import STDIN, STREAM_SUFFIXES, Source, find_sources
from vqcodec_cli.loading import load_noted
from vqcodec_cli.terminal import printable

if TYPE_CHECKING:
    from vqcodec.codec import Codec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "inputs", metavar="FILE", nargs="+", help=".vqc files, folders, patterns, or - for stdin"
    )
    parser.add_argument(
        "--against",
        metavar="ORIGINAL",
        help="also decode FILE and check that it is as near to this as it says (arrays, vectors)",
    )
    parser.add_argument(
        "--deep",
        action="store_true",
        help="also decode every code, by the model that FILE names, as a check of what wrote it",
    )
    options.add_codebook(parser)
    options.add_max_samples(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Check structure, lengths and every checksum of each file; returns the exit code."""

    codecs: dict[str, Codec] = {}

    def work(source: Source, tell: Tell) -> tuple[dict[str, Any], str]:
        data, limits = source.read(), limits_of(args.max_samples)
        info = inspect(data, limits)
        record: dict[str, Any] = {"input": source.name, "bytes": info.file_bytes, "ok": True}
        text = f"{printable(source.name)}: ok"
        if args.deep:
            _decode(data, args, limits, codecs, tell)
            record["deep"] = True
            text += ", every code decodes"
        if args.against is not None:
            record["against"] = _compared(data, args, limits)
            text += f", {record['against']}"
        return record, text

    sources = find_sources(args.inputs, suffixes=STREAM_SUFFIXES)
    if args.against is not None and len(sources) > 1:
        raise UsageError(f"--against is for one file, got {len(sources)}")
    if sources[0].is_stdin and args.against == STDIN:
        raise UsageError("standard input (-) cannot be FILE and ORIGINAL")
    return run_batch(sources, work, label="checking", as_json=args.json)


def _decode(
    data: bytes, args: argparse.Namespace, limits: Limits, codecs: "dict[str, Codec]", tell: Tell
) -> None:
    """Decode what a stream holds; by a model, as far as its codes.

    codecs: by fingerprint, those that are loaded already.

    Raises:
        CorruptError: a payload that no encoder writes. UnknownModelError: its model is not here.
    """
    medium, stream = read_any_stream(data, limits)
    streaming = find_streaming_coder(medium)
    if streaming is not None:
        with streaming.opened(data, max_samples=args.max_samples) as player:
            for number in range(player.groups):
                player.codes(number)
                player.packets(number)
                tell(number + 1, player.groups)
        return
    coder = find_coder(medium)
    if coder is not None:
        own: dict[str, Any] = codebook_options(args, medium, stream)
        coder.decode(stream, progress=tell, **own)
        return
    name = stream.header.fingerprint.hex()
    if name not in codecs:
        codecs[name] = load_noted(name, "cpu")
    codecs[name].decode_codes(stream)


def _compared(data: bytes, args: argparse.Namespace, limits: Limits) -> str:
    """How far a stream is from the file that it was made of. Raises: CorruptError: too far."""
    medium, stream = read_any_stream(data, limits)
    coder = find_coder(medium)
    if coder is None:
        raise UsageError(f"{with_article(medium.name)} has no bound that it could be held against")
    own = codebook_options(args, medium, stream)
    source = Source(args.against)
    thing = Path(args.against) if source.is_file() else source.read()
    return coder.compare(stream, signal_of(medium, thing, limits), **own)
