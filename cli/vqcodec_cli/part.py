"""Which part of a signal a command line asks for: by samples, or by seconds."""

import argparse
import math
import re

from vqcodec.bitstream import Stream
from vqcodec.grid import Region, whole
from vqcodec.media.base import Medium
from vqcodec.media.naming import with_article
from vqcodec_cli import options
from vqcodec_cli.failure import UsageError
from vqcodec_cli.media import slices_of

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)s?")


def add_part(parser: argparse.ArgumentParser) -> None:
    """--region, --slice, --from and --for."""
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
    parser.add_argument(
        "--from",
        dest="begin",
        type=seconds,
        metavar="TIME",
        help="decode what begins here, of a sound: 90, 12.5s, 1:30 or 1:23:00",
    )
    parser.add_argument(
        "--for", dest="duration", type=seconds, metavar="TIME", help="and only so much of it"
    )


def is_part(args: argparse.Namespace) -> bool:
    """Whether less than the whole is asked for."""
    return not args.region is args.slice is args.begin is args.duration is None


def seconds(text: str) -> float:
    """A time as people write it: seconds, or hours, minutes and seconds with colons between.

    >>> seconds("1:23:00"), seconds("12.5s")
    (4980.0, 12.5)
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is no time, such as 12.5s or 1:23:00")
    hours, minutes, rest = found.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest)


def asked_region(
    args: argparse.Namespace, medium: Medium, stream: Stream, *, shrink: int
) -> Region | None:
    """The part that is asked for, in samples of the signal; None for no part.

    Raises:
        UsageError: it is not within the signal, or its medium knows no time.
    """
    if args.slice is not None:
        raise UsageError(f"{with_article(medium.name)} has no --slice: use --region")
    extent, pace = medium.extent_of(stream), medium.per_second(stream)
    if args.begin is args.duration is None:
        return (
            None if args.region is None else slices_of(args.region, medium, extent, shrink=shrink)
        )
    if args.region is not None:
        raise UsageError(
            "--region is in samples, --from and --for are in seconds: give one of them"
        )
    if pace is None:
        raise UsageError(f"{with_article(medium.name)} has no time: give --region")
    if args.duration == 0:
        raise UsageError("--for 0 is nothing to decode")
    start = round((args.begin or 0.0) * pace)
    if start >= extent[0]:
        raise UsageError(f"it ends at {extent[0] / pace:.2f} s, got --from {args.begin:g}")
    stop = extent[0]
    if args.duration is not None:
        stop = min(stop, start + max(1, round(args.duration * pace)))
    # At a scale a part consists of whole blocks.
    start -= start % shrink
    stop = min(extent[0], math.ceil(stop / shrink) * shrink)
    return (slice(start, stop), *whole(extent[1:]))
