"""Options of signals that come without end: how they are recorded, and which of their frames."""

import argparse

from vqcodec.media.base import Medium
from vqcodec.media.naming import with_article
from vqcodec_cli import options
from vqcodec_cli.failure import UsageError
from vqcodec_cli.part import seconds

__all__ = [
    "add_frames",
    "add_recording",
    "asks_frames",
    "refuse_options",
    "refuse_recording",
    "refuse_unrecorded",
]

_NOT_ENCODED = (
    *("bpp", "size", "psnr", "max_error", "max_relative_error", "lossless", "missing", "chunk"),
    *("alpha_quality", "raw", "bytes_per_vector", "codebook", "recipe", "restore", "strip"),
)


def add_recording(parser: argparse.ArgumentParser) -> None:
    """--keyframe-seconds and --no-audio."""
    parser.add_argument(
        "--keyframe-seconds",
        type=options.positive,
        metavar="X",
        help="of a video, the longest group of frames that is decoded on its own; default 2",
    )
    parser.add_argument("--no-audio", action="store_true", help="leave out the audio of a video")


def add_frames(parser: argparse.ArgumentParser) -> None:
    """--frames, --at and --every."""
    parser.add_argument(
        "--frames", type=_range, metavar="A:B", help="of a video, only frames A to B, without B"
    )
    parser.add_argument(
        "--at", type=seconds, metavar="TIME", help="of a video, the frame shown then: a picture"
    )
    parser.add_argument(
        "--every", type=options.whole(1), metavar="N", help="of a video, every N-th frame alone"
    )
    parser.add_argument("--no-audio", action="store_true", help="leave out the audio of a video")


def refuse_recording(args: argparse.Namespace, medium: Medium) -> None:
    """Refuse what `add_recording` or `add_frames` adds, of a medium whose signals have an end.

    Raises: UsageError: naming the option.
    """
    names = ("keyframe_seconds", "frames", "at", "every", "no_audio")
    refuse_options(args, medium, names, "it is for videos")


def refuse_unrecorded(args: argparse.Namespace, medium: Medium) -> None:
    """Refuse what is for signals that have an end. Raises: UsageError: naming the option."""
    refuse_options(args, medium, _NOT_ENCODED, "use --quality or --kbps")


def asks_frames(args: argparse.Namespace) -> bool:
    """Whether a part of the frames is asked for."""
    return not args.frames is args.at is args.every is None


def refuse_options(
    args: argparse.Namespace, medium: Medium, names: tuple[str, ...], hint: str
) -> None:
    """Refuse what is given of these options. Raises: UsageError: naming the first."""
    for name in names:
        if getattr(args, name, None) not in (None, False):
            option = {"begin": "from", "duration": "for"}.get(name, name).replace("_", "-")
            raise UsageError(f"{with_article(medium.name)} has no --{option}: {hint}")


def _range(text: str) -> tuple[int | None, int | None]:
    begin, colon, end = text.partition(":")
    parts = [int(part) if part.isdecimal() else None for part in (begin, end)]
    if not colon or any(
        part is None and word for part, word in zip(parts, (begin, end), strict=True)
    ):
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is no range of frames, such as 100:200")
    return parts[0], parts[1]
