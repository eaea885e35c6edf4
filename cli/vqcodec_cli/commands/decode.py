"""vqcodec decode: .vqc files back into pictures and whatever else they hold."""

import argparse
import os
import time
from typing import TYPE_CHECKING, Any

import vqcodec
from vqcodec.bitstream import Header, Stream, limits_of
from vqcodec.grid import lengths, shrink, whole
from vqcodec.media.base import Coder, Medium
from vqcodec.media.registry import find_coder, read_any_stream
from vqcodec_cli import options
from vqcodec_cli.batch import Tell
from vqcodec_cli.failure import UsageError, complain
from vqcodec_cli.inputs import STREAM_SUFFIXES, find_sources
from vqcodec_cli.jobs import facts_of, processes_for, run_jobs, threads_each
from vqcodec_cli.media import check_format, format_of, slices_of, suffix_of_stream
from vqcodec_cli.output import STDOUT
from vqcodec_cli.plan import Job, plan_jobs
from vqcodec_cli.terminal import printable

if TYPE_CHECKING:
    from vqcodec.codec import Codec

EXAMPLES = """\
examples:
  vqcodec decode photo.vqc                 writes photo.png
  vqcodec decode photo.vqc -o photo.jpg    .png, .jpg, .webp or .tiff
  vqcodec decode scan.vqc --region 4096,2048,512,512 -o part.png
  vqcodec decode encoded/ -o decoded/      a folder, with its subfolders
  vqcodec decode scan.vqc --scale 1/8 -o small.png   at an eighth of its height and width
  vqcodec decode cut.vqc --partial -o cut.png        what is left of a file that was cut
  vqcodec decode field.vqc --slice 0:10,:,100:200 -o part.npy     a part of an array
  vqcodec decode - < photo.vqc > photo.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", help=".vqc files, folders, patterns, or - for stdin"
    )
    options.add_output(
        parser, explanation="output file, folder, or - for stdout (default: INPUT's name with .png)"
    )
    options.add_model(
        parser,
        default=None,
        explanation="file of weights that is not installed (default: the model the file names)",
    )
    parser.add_argument(
        "--region",
        type=options.region,
        metavar="X,Y,W,H",
        help="decode only this part: of a picture, W x H pixels from X, Y",
    )
    parser.add_argument(
        "--slice",
        type=options.slices,
        metavar="A:B,..",
        help="decode only this part of an array, as 0:10,:,100:200; other chunks are not decoded",
    )
    options.add_scale(parser)
    parser.add_argument(
        "--partial",
        action="store_true",
        help="decode what is whole of a cut or damaged file; the rest comes out blank",
    )
    options.add_device(parser)
    options.add_max_samples(parser)
    options.add_many(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Decode every input; returns the exit code."""
    if args.output is None and (
        args.region is not None or args.slice is not None or args.scale != 1 or args.partial
    ):
        # It is often the name of the original, which a part of it should not take with -f.
        raise UsageError("less than the whole needs -o: the default name is that of the whole")
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
        if job.source.exists():
            check_format(job.target)
    decoder = _Decoder(args, processes=processes_for(jobs, args))
    return run_jobs(jobs, decoder.decode, args, label="decoding")


class _Decoder:
    """Decodes jobs, each with the model that it names; a process looks it up and loads it once."""

    def __init__(self, args: argparse.Namespace, *, processes: int) -> None:
        self._args, self._processes = args, processes
        self._codecs: dict[str, Codec] = {}

    def decode(self, job: Job, tell: Tell) -> tuple[dict[str, Any], str]:
        """Decode one file and write its signal."""
        job.check()
        # Neither a damaged file nor an unknown model is worth the second that torch takes to load.
        limits, partial = limits_of(self._args.max_samples), self._args.partial
        medium, stream = read_any_stream(job.source.read(), limits, partial=partial)
        format = format_of(medium, job.target)
        started = time.perf_counter()
        coder = find_coder(medium)
        if coder is None:
            extent = self._by_model(job, medium, stream, format, tell)
        else:
            extent = self._by_coder(job, medium, coder, stream, format, tell)
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
        if partial:
            record |= _what_is_there(job, stream)
        size = medium.size_text(extent)
        return record, f"{printable(job.target)}: {size}, {seconds:.1f} s"

    def _by_model(
        self, job: Job, medium: Medium, stream: Stream, format: str, tell: Tell
    ) -> tuple[int, ...]:
        """Decode a stream to its file; returns the extent of what is written."""
        if self._args.slice is not None:
            raise UsageError(f"a {medium.name} has no --slice: use --region")
        factor = round(1 / self._args.scale)
        region, extent = None, stream.header.extent
        if self._args.region is not None:
            region = slices_of(self._args.region, medium, extent, shrink=factor)
        shown = whole(extent) if region is None else region
        codec = self._codec_for(stream.header)
        from vqcodec.decoded_file import write_decoded  # loads torch

        write_decoded(
            codec,
            stream,
            job.opened(),
            format=format,
            region=region,
            scale=self._args.scale,
            max_samples=self._args.max_samples,
            threads=threads_each(self._args.threads, processes=self._processes),
            progress=tell,
        )
        return lengths(shrink(shown, factor))

    def _by_coder(
        self, job: Job, medium: Medium, coder: Coder, stream: Stream, format: str, tell: Tell
    ) -> tuple[int, ...]:
        """The same, of a medium that codes its signals without a model."""
        args = self._args
        if args.model is not None or args.scale != 1 or args.partial:
            raise UsageError(f"an {medium.name} has no --model, --scale and --partial")
        region = args.slice
        if args.region is not None:
            region = slices_of(args.region, medium, stream.header.extent)
        threads = threads_each(args.threads, processes=self._processes)
        signal = coder.decode(stream, region=region, threads=threads, progress=tell)
        job.write(medium.write(signal, format=format))
        extent: tuple[int, ...] = signal.extent
        return extent

    def _codec_for(self, header: Header) -> "Codec":
        name = self._args.model or header.fingerprint.hex()
        if name not in self._codecs:
            from vqcodec.model.catalog import locate_model

            path = locate_model(name)  # raises before `load` is touched, which loads torch
            self._codecs[name] = vqcodec.load(path, device=self._args.device)
        return self._codecs[name]


def _what_is_there(job: Job, stream: Stream) -> dict[str, int]:
    """How many of how many regions a stream still holds; said where some are missing."""
    there, regions = len(stream.codes), stream.header.regions
    if there < regions:
        complain(job.name, f"{there} of {regions} regions are there, the others are blank")
    return {"regions": regions, "regions_there": there}
