"""vqcodec decode: .vqc files back into pictures, sounds and whatever else they hold."""

import argparse
import functools
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import Header, Stream, limits_of
from vqcodec.grid import lengths, shrink
from vqcodec.media.base import Medium
from vqcodec.media.coder import Coder
from vqcodec.media.registry import (
    find_coder,
    open_any_stream,
)
from vqcodec_cli import options
from vqcodec_cli.batch import Tell
from vqcodec_cli.coders import codebook_options
from vqcodec_cli.dry_run import preview_decoding
from vqcodec_cli.failure import UsageError, complain, options_refused
from vqcodec_cli.inputs import STREAM_SUFFIXES, find_sources
from vqcodec_cli.jobs import facts_of, processes_for, run_jobs, threads_each
from vqcodec_cli.loading import load_noted
from vqcodec_cli.media import (
    check_bits,
    check_format,
    check_raw_name,
    format_of,
    look_at_rest,
    partial_hinted,
    suffix_of_stream,
)
from vqcodec_cli.output import STDOUT
from vqcodec_cli.part import add_part, asked_region, is_part
from vqcodec_cli.plan import Job, plan_jobs
from vqcodec_cli.recording import add_frames, asks_frames, refuse_recording
from vqcodec_cli.streaming import decode_streaming, streaming_of
from vqcodec_cli.terminal import printable

if TYPE_CHECKING:
    from vqcodec.codec import Codec

EXAMPLES = """\
examples:
  vqcodec decode photo.vqc                 writes photo.png
  vqcodec decode photo.vqc -o photo.jpg    .png, .jpg, .webp or .tiff
  vqcodec decode scan.vqc --region 4096,2048,512,512 -o part.png
  vqcodec decode https://host/scan.vqc --region 0,0,512,512 -o part.png
  vqcodec decode encoded/ -o decoded/      a folder, with its subfolders
  vqcodec decode scan.vqc --scale 1/8 -o small.png   at an eighth of its height and width
  vqcodec decode scan.vqc --bits 16 -o scan.tiff     samples of sixteen bits, as they were
  vqcodec decode cut.vqc --partial -o cut.png        what is left of a file that was cut
  vqcodec decode talk.vqc --from 1:23:00 --for 30s -o part.wav   .wav, .flac or .ogg
  vqcodec decode talk.vqc --raw s16 -o - | aplay -f S16_LE -r 16000
  vqcodec decode field.vqc --slice 0:10,:,100:200 -o part.npy     a part of an array
  vqcodec decode clip.vqc -o back.mkv      .mkv, .mp4, .webm, .y4m or frames/%06d.png
  vqcodec decode clip.vqc --at 12.5s -o then.png
  vqcodec decode clip.vqc -o - | ffplay -
  vqcodec decode - < photo.vqc > photo.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help=".vqc files, folders, patterns, URLs, or - for stdin",
    )
    options.add_output(
        parser, explanation="output file, folder, or - for stdout (default: INPUT's name with .png)"
    )
    options.add_model(
        parser,
        default=None,
        explanation="file of weights that is not installed (default: the model the file names)",
    )
    add_part(parser)
    add_frames(parser)
    options.add_scale(parser)
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help="decode a sound at N samples a second, or model, as it is coded (default: its own)",
    )
    options.add_bits(parser)
    options.add_codebook(parser)
    parser.add_argument("--raw", metavar="FORMAT", help="write bare samples: s16, s24, s32 or f32")
    parser.add_argument(
        "--partial",
        action="store_true",
        help="decode what is whole of a cut or damaged file; the rest is blank, sound ends there",
    )
    options.add_device(parser)
    options.add_max_samples(parser)
    options.add_many(parser)
    options.add_dry_run(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Decode every input; returns the exit code."""
    if args.output is None and (
        is_part(args) or asks_frames(args) or args.scale != 1 or args.partial
    ):
        # It is often the name of the original, which a part of it should not take with -f.
        raise UsageError("less than the whole needs -o: the default name is that of the whole")
    if args.output is None and args.raw is not None:
        raise UsageError("--raw needs -o: the default name is that of another format")
    jobs = plan_jobs(
        find_sources(args.inputs, suffixes=STREAM_SUFFIXES),
        args.output,
        suffix=lambda source: suffix_of_stream(source, limits_of(args.max_samples)),
        force=args.force,
        as_json=args.json,
        keep_times=args.keep_times,
    )
    for job in jobs:
        # One that is missing is not there to be written in any format, and says so itself.
        if args.raw is not None:
            check_raw_name(job.target)
        elif job.source.exists():
            check_format(job.target)
    decoder = _Decoder(args, processes=processes_for(jobs, args))
    return run_jobs(
        jobs,
        decoder.decode,
        args,
        label="decoding",
        preview=lambda job, _: preview_decoding(job, args),
    )


class _Decoder:
    """Decodes jobs, each with the model that it names; a process looks it up and loads it once."""

    def __init__(self, args: argparse.Namespace, *, processes: int) -> None:
        self._args, self._processes = args, processes
        self._codecs: dict[str, Codec] = {}

    def decode(self, job: Job, tell: Tell) -> tuple[dict[str, Any], str]:
        """Decode one file and write its signal."""
        limits, partial = limits_of(self._args.max_samples), self._args.partial
        streaming = streaming_of(self._args, job, limits)
        if streaming is not None:
            threads = threads_each(self._args.threads, processes=self._processes)
            return decode_streaming(self._args, job, *streaming, tell, threads=threads)
        # Neither a damaged file nor an unknown model is worth the second that torch takes to load.
        job.check()
        part = is_part(self._args) and (job.source.is_file() or job.source.is_remote)
        data = job.source.name if part else job.source.read()
        with ExitStack() as stack:
            look = None
            if isinstance(data, bytes) and not partial:
                look = functools.partial(look_at_rest, data, limits)
            with partial_hinted(look):
                opened = open_any_stream(data, limits, partial=partial, part=part)
                medium, stream = stack.enter_context(opened)
            return self._decoded(job, medium, stream, tell)

    def _decoded(
        self, job: Job, medium: Medium, stream: Stream, tell: Tell
    ) -> tuple[dict[str, Any], str]:
        started = time.perf_counter()
        refuse_recording(self._args, medium)
        coder = find_coder(medium)
        own = codebook_options(self._args, medium, stream)
        if coder is None:
            extent, facts, said = self._by_model(job, medium, stream, tell)
        else:
            extent, facts, said = self._by_coder(job, medium, coder, stream, tell, own), {}, ""
        seconds = time.perf_counter() - started
        record = {
            "input": job.source.name,
            "output": job.target,
            "medium": medium.name,
            **dict(zip(medium.axes, extent, strict=False)),
            "seconds": seconds,
        }
        if self._args.manifest is not None:
            record |= facts_of(job.target)
        elif job.target != STDOUT:
            record["bytes"] = os.path.getsize(job.target)
        size = medium.size_text(extent) + said
        return record | facts, f"{printable(job.target)}: {size}, {seconds:.1f} s"

    def _by_model(
        self, job: Job, medium: Medium, stream: Stream, tell: Tell
    ) -> tuple[tuple[int, ...], dict[str, Any], str]:
        """Decode a stream to its file: the extent of what is written, facts, and words."""
        format = format_of(medium, job.target, raw=self._args.raw)
        check_bits(self._args.bits, medium)
        factor, rate = round(1 / self._args.scale), self._args.rate
        with options_refused():
            timed = stream if rate is None else medium.at_rate(stream, rate)
        region = asked_region(self._args, medium, timed, shrink=factor)
        codec = self._codec_for(stream.header)
        shown = codec.region_there(timed) if region is None else region
        extent = lengths(shrink(shown, factor))
        from vqcodec.decoded_file import write_decoded  # loads torch

        write_decoded(
            codec,
            stream,
            job.opened(),
            format=format,
            region=shown,
            scale=self._args.scale,
            rate=rate,
            bits=self._args.bits,
            max_samples=self._args.max_samples,
            threads=threads_each(self._args.threads, processes=self._processes),
            progress=tell,
        )
        facts: dict[str, Any] = {}
        if self._args.partial:
            needed = None
            if region is not None:
                taken = medium.samples_for(timed, region, shrink=factor)
                needed = codec.card.config.regions_of(taken, stream.header.extent)
            facts |= _what_is_there(job, medium, timed, needed, ends=shown[0].stop)
        if (pace := medium.per_second(timed)) is None:
            return extent, facts, ""
        duration = lengths(shown)[0] / pace
        return extent, facts | {"duration": duration}, f" ({duration:.2f} s)"

    def _by_coder(
        self,
        job: Job,
        medium: Medium,
        coder: Coder,
        stream: Stream,
        tell: Tell,
        own: dict[str, str],
    ) -> tuple[int, ...]:
        """The same, of a medium that codes its signals without a model."""
        args = self._args
        for name in ("model", "rate", "raw", "bits"):
            if getattr(args, name) is not None:
                raise UsageError(f"the medium {medium.name} has no --{name}")
        if args.scale != 1 or args.partial:
            raise UsageError(f"the medium {medium.name} has no --scale and --partial")
        region = args.slice
        if region is None:
            region = asked_region(args, medium, stream, shrink=1)
        threads = threads_each(args.threads, processes=self._processes)
        format = format_of(medium, job.target)
        with job.opened() as file:
            return coder.write_decoded(
                stream, file, format=format, region=region, threads=threads, progress=tell, **own
            )

    def _codec_for(self, header: Header) -> "Codec":
        name = self._args.model or header.fingerprint.hex()
        if name not in self._codecs:
            from vqcodec.model.catalog import locate_model

            path = locate_model(name)  # raises before `load` is touched, which loads torch
            self._codecs[name] = load_noted(path, self._args.device)
        return self._codecs[name]


def _what_is_there(
    job: Job, medium: Medium, timed: Stream, needed: Sequence[int] | None, *, ends: int
) -> dict[str, int]:
    """How many of how many regions a stream still holds; said where some are missing.

    Args:
        timed: the stream at the rate that it is decoded at.
        needed: the regions that the part which is asked for is made of; None for all.
        ends: the sample along the first axis behind the last one that is decoded.
    """
    there, regions = len(timed.codes), timed.header.regions
    if needed is not None:
        found = sum(timed.codes_of(number) is not None for number in needed)
        if not found:
            complain(job.name, "nothing of this part is there, it is blank")
        elif found < len(needed):
            complain(job.name, f"{found} of {len(needed)} regions of this part are there")
    elif there < regions:
        pace, end = medium.per_second(timed), ""
        if pace is not None and ends < medium.extent_of(timed)[0]:
            end = f", and it ends after {ends / pace:.2f} s"
        complain(job.name, f"{there} of {regions} regions are there, the others are blank{end}")
    return {"regions": regions, "regions_there": there}


def _rate(text: str) -> int | str:
    return text if text == "model" else options.whole(1)(text)
