"""Signals that come without end, to streams and back as they come: they fit into no memory."""

import argparse
import functools
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from vqcodec.bitstream import MAX_HEADER_BYTES, Limits, read_header
from vqcodec.errors import FormatError
from vqcodec.media.base import Medium
from vqcodec.media.coder import StreamingCoder
from vqcodec.media.naming import with_article
from vqcodec.media.registry import OPEN_LENGTH, find_streaming_coder, list_media
from vqcodec_cli.batch import Tell
from vqcodec_cli.failure import RefusedError, UsageError, complain, options_refused
from vqcodec_cli.media import format_of, partial_hinted
from vqcodec_cli.output import STDOUT, check_output
from vqcodec_cli.plan import Job
from vqcodec_cli.recording import asks_frames, refuse_options
from vqcodec_cli.terminal import printable

__all__ = [
    "check_streaming",
    "decode_streaming",
    "encode_streaming",
    "streaming_of",
]

_NOT_DECODED = ("rate", "bits", "raw", "codebook", "slice", "region", "begin", "duration")
# Seconds of the longest group of frames.
_USUAL = 2.0


def streaming_of(
    args: argparse.Namespace, job: Job, limits: Limits
) -> tuple[Medium, StreamingCoder] | None:
    """The medium of an input and its coder, if its signals may be longer than memory.

    A URL is looked into only where frames or a file of such a medium are asked for.
    """
    media = {medium.number: medium for medium in list_media() if medium.name in OPEN_LENGTH}
    ends = {end for medium in media.values() for end in medium.formats}
    expected = asks_frames(args) or Path(job.target).suffix.lower() in ends
    if job.source.is_remote and not expected:
        return None
    try:
        medium = media.get(read_header(job.source.head(MAX_HEADER_BYTES), limits).medium)
    except FormatError:
        return None
    # The coder loads torch, which other media may not need.
    coder = None if medium is None else find_streaming_coder(medium)
    return None if medium is None or coder is None else (medium, coder)


def encode_streaming(
    args: argparse.Namespace,
    job: Job,
    medium: Medium,
    coder: StreamingCoder,
    signal: Any,
    tell: Tell,
    *,
    model: str | Path,
    threads: int | None,
) -> tuple[dict[str, Any], str]:
    """Write the stream of a signal; gives a record and words. See `refuse_unrecorded`."""
    started = time.perf_counter()
    for remark in signal.remarks:
        complain(job.name, remark)
    with job.opened() as file:
        facts = coder.encode_to(
            signal,
            file.write,
            quality=50.0 if args.quality is None else args.quality,
            kbps=args.kbps,
            keyframe_seconds=_USUAL if args.keyframe_seconds is None else args.keyframe_seconds,
            effort=args.effort,
            model=model,
            device=args.device,
            audio=not args.no_audio,
            threads=threads,
            progress=_paced(tell, started),
        )
    took = time.perf_counter() - started
    record = {"input": job.name, "output": job.target, "medium": medium.name}
    extent = (facts["frames"], signal.height, signal.width)
    record |= dict(zip(medium.axes, extent, strict=True)) | facts | {"seconds": took}
    text = (
        f"{medium.size_text(extent)}, {facts['bytes']:,} bytes, {facts['kbps']:.1f} kbps, "
        f"{took:.1f} s, {facts['frames'] / took:.1f} frames a second"
    )
    return record, f"{printable(job.target)}: {text}"


def decode_streaming(
    args: argparse.Namespace,
    job: Job,
    medium: Medium,
    coder: StreamingCoder,
    tell: Tell,
    *,
    threads: int | None,
) -> tuple[dict[str, Any], str]:
    """Write what a stream holds; gives a record and words."""
    check_streaming(args, job, medium, coder)
    source = job.source
    started = time.perf_counter()
    data = source.name if source.is_file() or source.is_remote else source.read()
    opened = functools.partial(
        coder.opened,
        data,
        device=args.device,
        model=args.model,
        max_samples=args.max_samples,
        threads=threads,
    )
    record: dict[str, Any] = {"input": job.name, "output": job.target, "medium": medium.name}
    with ExitStack() as stack:
        with partial_hinted(None if args.partial else lambda: _looked_at(opened)):
            player = stack.enter_context(opened(partial=args.partial))
        if not player.is_whole:
            complain(job.name, f"{player.frames} frames in {player.groups} groups are there")
        if args.at is not None:
            return record, _written_picture(args, job, coder, player)
        start, stop = _checked(args.frames, player.frames)
        done = _write_frames(
            args, job, coder, player, start=start, stop=stop, progress=_paced(tell, started)
        )
    for lost in done["lost"]:
        complain(job.target, f"{lost}: cannot be kept there")
    took = time.perf_counter() - started
    extent = (done["frames"], player.height, player.width)
    record |= dict(zip(medium.axes, extent, strict=True)) | {"seconds": took}
    pace = done["frames"] / took
    return record, (
        f"{printable(job.target)}: {medium.size_text(extent)}, {took:.1f} s, {pace:.1f} frames "
        "a second"
    )


def check_streaming(
    args: argparse.Namespace, job: Job, medium: Medium, coder: StreamingCoder
) -> None:
    """Refuse what cannot be written, before the stream is read.

    Raises:
        UsageError: an option that the medium has not, or a format that is none.
        OSError: as `Job.check`.
    """
    refuse_options(args, medium, _NOT_DECODED, "use --frames, --at or --every")
    if args.scale != 1:
        raise UsageError(f"{with_article(medium.name)} has no --scale")
    if args.at is not None:
        if args.frames is not None or args.every is not None:
            raise UsageError("--at is one frame, --frames and --every are several: give one")
        _check(job, is_named=args.output is not None)
        format_of(list_media()[0], job.target)
    elif _is_many(coder, job):
        path = Path(job.target)
        start, _ = args.frames or (None, None)
        first = path.with_name(path.name % (start or 0))
        check_output(first, force=job.force, makes_folder=True)
    else:
        _check(job, is_named=args.output is not None)
        format_of(medium, job.target)


def _write_frames(
    args: argparse.Namespace,
    job: Job,
    coder: StreamingCoder,
    player: Any,
    *,
    start: int,
    stop: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "start": start,
        "stop": stop,
        # A step beyond the last frame gives the first one alone, whatever its size.
        "every": min(args.every or 1, stop - start),
        "audio": not args.no_audio,
        "progress": progress,
    }
    if job.target == STDOUT:
        done = coder.decode_to(player, sys.stdout.buffer, **chosen)
        sys.stdout.buffer.flush()
        return done
    path = Path(job.target)
    if job.makes_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    return coder.decode_to(player, path, **chosen)


def _check(job: Job, *, is_named: bool) -> None:
    """Refuse an output that cannot be written; one that nobody named may be what was encoded."""
    try:
        job.check()
    except RefusedError as error:
        if is_named:
            raise
        raise RefusedError(f"{error}; -o NAME writes another file") from error


def _looked_at(opened: Callable[..., AbstractContextManager[Any]]) -> None:
    with opened(partial=True):
        pass


def _is_many(coder: StreamingCoder, job: Job) -> bool:
    """Whether an output is a file of each frame. Raises: UsageError: it is of no format."""
    with options_refused():
        return job.target != STDOUT and coder.is_many(job.target)


def _written_picture(args: argparse.Namespace, job: Job, coder: StreamingCoder, player: Any) -> str:
    picture = list_media()[0]
    format = format_of(picture, job.target)
    with options_refused():
        signal = picture.wrap(coder.picture(player, args.at))
    job.write(picture.write(signal, format=format))
    size = picture.size_text(signal.extent, signal.channels)
    return f"{printable(job.target)}: {size}, at {args.at:g} s"


def _paced(tell: Tell, started: float) -> Callable[[int, int], None]:
    """Tells how much is done, and how many frames a second that makes."""

    def say(done: int, total: int) -> None:
        pace = done / max(time.perf_counter() - started, 1e-3)
        tell(done, max(total, 2), f"{pace:.1f} frames a second")

    return say


def _checked(asked: tuple[int | None, int | None] | None, frames: int) -> tuple[int, int]:
    """First frame and the one behind the last, of those that there are."""
    start, stop = (None, None) if asked is None else asked
    begin, end = start or 0, frames if stop is None else stop
    if not begin < end <= frames:
        raise UsageError(f"--frames {begin}:{end}: there are {frames} frames, from 0 on")
    return begin, end
