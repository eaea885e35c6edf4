"""Videos of files and pipes, and files of videos: YUV4MPEG2 by ourselves, others through PyAV."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Protocol

from vqcodec.bitstream import DEFAULT_LIMITS, Limits
from vqcodec.errors import InputError
from vqcodec.files import whole_file
from vqcodec.media.video.audio import Packet, Track
from vqcodec.media.video.signal import Facts, Frame, Video
from vqcodec.media.video.stills import StillWriter, is_pattern
from vqcodec.media.video.suffixes import FORMATS
from vqcodec.media.video.y4m import Y4mWriter, is_y4m, open_y4m, read_y4m

__all__ = ["Writer", "format_of", "open_video_file", "open_writer", "read_video"]

_HEAD = 64


class Writer(Protocol):
    """What takes frames, and audio. lost: facts that its format cannot hold, in words."""

    @property
    def lost(self) -> tuple[str, ...]:
        """What a reader of the file does not learn."""

    def write(self, frame: Frame) -> None:
        """Write the next frame."""

    def write_audio(self, packets: Sequence[Packet]) -> None:
        """Write the next packets of audio, or leave them out."""

    def end(self) -> None:
        """Write what is left."""


def open_video_file(
    path: str, limits: Limits = DEFAULT_LIMITS, *, keep_audio: bool = True
) -> Video:
    """The video in a file, its frames read as they are drawn, as often as one likes.

    Raises: OSError: it cannot be read; InputError, LimitError and MissingDependencyError as
    `read_y4m` and `read_container`.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if is_y4m(head):
        return open_y4m(path, limits)
    from vqcodec.media.video.containers import open_container

    return open_container(path, limits, keep_audio=keep_audio)


def read_video(
    file: BinaryIO, limits: Limits = DEFAULT_LIMITS, *, keep_audio: bool = True
) -> Video:
    """The video in a pipe or an open file, its frames read as they are drawn, once.

    Raises: as `open_video_file`.
    """
    buffered = file if hasattr(file, "peek") else io.BufferedReader(file)  # type: ignore[type-var]
    if is_y4m(buffered.peek(_HEAD)[:_HEAD]):
        return read_y4m(buffered, limits)
    from vqcodec.media.video.containers import read_container

    return read_container(buffered, limits, keep_audio=keep_audio)


def format_of(path: str | Path) -> str:
    """The format of an output by its name: of FORMATS, or "png" of a numbered one.

    Raises: InputError for any other name.

    >>> format_of("back.mkv"), format_of("frames/%06d.png")
    ('mkv', 'png')
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".png" and is_pattern(path):
        return "png"
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(f"a video is written as {known} or %06d.png, got {Path(path).name}")
    return FORMATS[suffix]


@contextmanager
def open_writer(
    path: Path,
    *,
    height: int,
    width: int,
    facts: Facts,
    tracks: Sequence[Track] = (),
    mean_rate: Fraction = Fraction(25),
    first: int = 0,
    step: int = 1,
) -> Iterator[Writer]:
    """Open a file for frames, which appears whole once the block has ended well, or not at all.

    A device or a pipe is written as frames come.

    tracks: of audio that will be written. mean_rate: what the file says of frames per second where
    they vary. first, step: which frames of a video are written.
    Raises: InputError as `format_of`, and where a format cannot hold a track; OSError.
    """
    format = format_of(path)
    if format == "png":
        yield StillWriter(path, facts, first=first, step=step)
        return
    if facts.rate is not None:
        facts = replace(facts, rate=facts.rate / step)
    with nullcontext(path) if _is_special(path) else whole_file(path) as target:
        if format == "y4m":
            with open(target, "wb") as file:
                yield Y4mWriter(file, facts, mean_rate=mean_rate)
            return
        from vqcodec.media.video.movies import MovieWriter

        movie = MovieWriter(target, format, height=height, width=width, facts=facts, tracks=tracks)
        try:
            yield movie
            movie.end()
        finally:
            movie.close()


def _is_special(path: Path) -> bool:
    """Whether a path is there and no regular file."""
    return path.exists() and not path.is_file()
