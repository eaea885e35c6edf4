"""Videos of any container and codec that FFmpeg reads, frame by frame, through PyAV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO

from vqcodec.bitstream import DEFAULT_LIMITS, Limits
from vqcodec.media.video.audio import Audio
from vqcodec.media.video.demuxing import Pass
from vqcodec.media.video.signal import Frame, Video

__all__ = ["open_container", "read_container"]


def open_container(path: str, limits: Limits = DEFAULT_LIMITS, *, keep_audio: bool = True) -> Video:
    """The video in a file, its frames decoded as they are drawn, each time from the beginning.

    Raises: OSError; and as `read_container`.
    """

    @contextmanager
    def begin(audio: Audio | None) -> Iterator[Pass]:
        with open(path, "rb") as file:
            once = Pass(file, limits, keep_audio, audio)
            try:
                yield once
            finally:
                once.close()

    with begin(None) as first:
        return first.video(_Passes(begin, first.audio))


def read_container(
    file: BinaryIO, limits: Limits = DEFAULT_LIMITS, *, keep_audio: bool = True
) -> Video:
    """The video in a file or a pipe that stands at its beginning; its frames are drawn once.

    keep_audio: give packets of audio as they stand in the file; otherwise a remark says that there
    was some.
    Raises: MissingDependencyError without PyAV; InputError: no video, interlaced, of a layout or
    matrix that is not read, or damaged; while frames are drawn, damaged, cut off or another size.
    LimitError: a frame has more samples than allowed, before one is decoded.
    """
    first = Pass(file, limits, keep_audio, None)
    return first.video(first.frames())


class _Passes:
    """The frames of a file, which is opened anew for each pass."""

    def __init__(
        self,
        begin: Callable[[Audio | None], AbstractContextManager[Pass]],
        audio: Audio | None,
    ) -> None:
        self._begin, self._audio = begin, audio

    def __iter__(self) -> Iterator[Frame]:
        if self._audio is not None:
            self._audio.take()
        with self._begin(self._audio) as once:
            yield from once.frames()
