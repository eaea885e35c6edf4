"""vqcodec decode: .vqc files into pictures."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from vqcodec_cli import options
from vqcodec_cli.batch import run_batch
from vqcodec_cli.failure import UsageError
from vqcodec_cli.inputs import STREAM_SUFFIXES, find_sources
from vqcodec_cli.limits import limits
from vqcodec_cli.output import STDOUT
from vqcodec_cli.plan import Job, plan_jobs

if TYPE_CHECKING:
    from vqcodec.codec import Codec

EXAMPLES = """\
examples:
  vqcodec decode photo.vqc                 writes photo.png
  vqcodec decode photo.vqc -o photo.jpg    .png, .jpg, .webp or .tiff
  vqcodec decode encoded/ -o decoded/      a folder, with its subfolders
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
    options.add_device(parser)
    options.add_max_pixels(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Decode every input; returns the exit code."""
    jobs = plan_jobs(
        find_sources(args.inputs, suffixes=STREAM_SUFFIXES),
        args.output,
        suffix=".png",
        force=args.force,
        as_json=args.json,
    )
    for job in jobs:
        _format_of(job.target)
    to_stdout = jobs[0].target == STDOUT
    decoder = _Decoder(args)
    return run_batch(
        jobs, decoder.decode, label="decoding", show=_line, as_json=args.json, quiet=to_stdout
    )


class _Decoder:
    """Decodes jobs, each with the model that it names; a model is loaded once."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._codecs: dict[str, Codec] = {}

    def decode(self, job: Job) -> dict[str, Any]:
        """Decode one file and write its picture."""
        job.check()
        data = job.source.read()
        codec = self._codec_for(data)
        started = time.perf_counter()
        picture = codec.decode_picture(data, max_pixels=self._args.max_pixels)

        from vqcodec.media.picture.image import write_picture

        job.write(write_picture(picture, format=_format_of(job.target)))
        height, width = picture.pixels.shape[:2]
        return {
            "input": job.source.name,
            "output": job.target,
            "width": width,
            "height": height,
            "seconds": time.perf_counter() - started,
        }

    def _codec_for(self, data: bytes) -> "Codec":
        # Neither a damaged file nor an unknown model is worth the second that torch takes to load.
        from vqcodec.stream_info import inspect

        fingerprint = inspect(data, limits(self._args.max_pixels)).fingerprint
        name = self._args.model
        if name is None:
            from vqcodec.model.catalog import find_model

            name = str(find_model(fingerprint).path)
        if name not in self._codecs:
            import vqcodec

            self._codecs[name] = vqcodec.load(name, device=self._args.device)
        return self._codecs[name]


def _format_of(target: str) -> str:
    from vqcodec.errors import InputError
    from vqcodec.media.picture.image import picture_format

    try:
        return picture_format("stdout.png" if target == STDOUT else target)
    except InputError as error:
        raise UsageError(str(error)) from error


def _line(record: Any) -> str:
    return f"{record['output']}: {record['width']} x {record['height']}, {record['seconds']:.1f} s"
