"""vqcodec encode: pictures into .vqc files."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqcodec_cli import options
from vqcodec_cli.batch import run_batch
from vqcodec_cli.inputs import find_sources
from vqcodec_cli.output import STDOUT
from vqcodec_cli.plan import Job, plan_jobs

if TYPE_CHECKING:
    from vqcodec.codec import Codec

# What counts as a picture in a folder; a file that is named by itself goes by its content.
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".ppm", ".pgm", ".avif", ".jp2"),
)

EXAMPLES = """\
examples:
  vqcodec encode photo.png                       writes photo.vqc
  vqcodec encode photo.png --bpp 0.25 -o small.vqc
  vqcodec encode holiday/ -q 70 -o encoded/      a folder, with its subfolders
  cat photo.png | vqcodec encode - > photo.vqc"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", help="pictures, folders, patterns, or - for stdin"
    )
    options.add_output(
        parser, explanation="output file, folder, or - for stdout (default: INPUT's name with .vqc)"
    )
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument(
        "-q",
        "--quality",
        type=options.number(0, 100),
        default=50.0,
        metavar="Q",
        help="0 (smallest) to 100 (best); default 50",
    )
    rate.add_argument(
        "--bpp", type=options.positive, metavar="X", help="at most X bits for each pixel"
    )
    rate.add_argument(
        "--size", type=options.whole(1), metavar="BYTES", help="at most BYTES for the whole file"
    )
    rate.add_argument(
        "--psnr", type=options.positive, metavar="DB", help="at least so many dB, no larger file"
    )
    parser.add_argument(
        "--effort",
        type=int,
        choices=range(1, 10),
        default=5,
        metavar="E",
        help="1 (fast) to 9 (smaller file at the same look); default 5",
    )
    options.add_model(parser, default="photo", explanation="model to encode with (default: photo)")
    options.add_device(parser)
    parser.add_argument(
        "--strip", action="store_true", help="leave out the colour profile and EXIF data"
    )
    options.add_max_pixels(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Encode every input; returns the exit code."""
    jobs = plan_jobs(
        find_sources(args.inputs, suffixes=PICTURE_SUFFIXES),
        args.output,
        suffix=".vqc",
        force=args.force,
        as_json=args.json,
    )
    to_stdout = jobs[0].target == STDOUT
    find_model_early(args.model)
    encoder = _Encoder(args)
    return run_batch(
        jobs, encoder.encode, label="encoding", show=_line, as_json=args.json, quiet=to_stdout
    )


class _Encoder:
    """Encodes jobs with one model, which is loaded when the first picture has been read."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._codec: Codec | None = None

    def encode(self, job: Job) -> dict[str, Any]:
        """Encode one picture and write its file."""
        from vqcodec.media.picture.image import read_picture

        args = self._args
        job.check()
        limits = {} if args.max_pixels is None else {"max_pixels": args.max_pixels}
        picture = read_picture(job.source.read(), **limits)
        codec = self._loaded()
        started = time.perf_counter()
        data = codec.encode(
            picture,
            quality=args.quality,
            bpp=args.bpp,
            size=args.size,
            psnr=args.psnr,
            effort=args.effort,
            metadata=not args.strip,
        )
        job.write(data)
        height, width = picture.pixels.shape[:2]
        return {
            "input": job.source.name,
            "output": job.target,
            "width": width,
            "height": height,
            "bytes": len(data),
            "bpp": 8 * len(data) / (width * height),
            "seconds": time.perf_counter() - started,
        }

    def _loaded(self) -> "Codec":
        if self._codec is None:
            import vqcodec

            self._codec = vqcodec.load(self._args.model, device=self._args.device)
        return self._codec


def find_model_early(name: str) -> None:
    """Refuse what is no model at once, rather than after pictures are read and torch is loaded.

    Raises:
        ModelError: no model has this name, or the file of this name is not one.
    """
    from vqcodec.model.catalog import find_model
    from vqcodec.model.file import read_card

    path = Path(name)
    if path.suffix == ".safetensors":
        read_card(path)
    else:
        find_model(name)


def _line(record: Any) -> str:
    return (
        f"{record['output']}: {record['width']} x {record['height']}, "
        f"{record['bytes']:,} bytes, {record['bpp']:.3f} bpp, {record['seconds']:.1f} s"
    )
