"""Frames to a file as they come: what people call."""

from __future__ import annotations

import os
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from vqcodec.errors import InputError
from vqcodec.files import open_whole
from vqcodec.media.video.colour import from_rgb
from vqcodec.media.video.model import VideoModel, load_video_model
from vqcodec.media.video.recorder import Recorder
from vqcodec.media.video.signal import Facts, Frame

__all__ = ["VideoEncoder"]


class VideoEncoder:
    """Takes frames one by one and writes a stream; use as a context manager.

    A file that is given by its path appears whole, once the block has ended well, or not at all.
    Memory is that of a few frames; with several threads groups are coded side by side, and 256 MiB
    of frames at most are held.

    Args:
        file: a path, or a file that is open for writing bytes.
        height, width: of the frames, in pixels.
        rate: frames a second, a whole number or a Fraction.
        facts: instead of a rate, all that is known of them.
        model: name or path of a model of videos, or one that is loaded.
        quality: 0 to 100. kbps: instead, kilobits a second over the whole.
        keyframe_seconds: the longest group, which is what random access begins at.
        effort: 1 (fast) to 9 (good). device: where networks run.
        threads: at most so many; None for as many as torch has.

    Raises:
        InputError: a number out of range. ModelError: no such model. OSError: the file cannot be
        written.

    >>> import io
    >>> with VideoEncoder(io.BytesIO(), height=48, width=64, rate=Fraction(30000, 1001)) as encoder:
    ...     encoder.add(np.zeros((48, 64, 3), np.uint8))
    >>> encoder.frames, encoder.groups
    (1, 1)
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | BinaryIO,
        *,
        height: int,
        width: int,
        rate: int | Fraction | None = None,
        facts: Facts | None = None,
        model: VideoModel | str | Path = "video",
        device: str = "auto",
        quality: float = 50.0,
        kbps: float | None = None,
        keyframe_seconds: float = 2.0,
        effort: int = 5,
        threads: int | None = None,
    ) -> None:
        if (rate is None) == (facts is None):
            raise InputError("give a rate or facts, one of them")
        if facts is None:
            if not isinstance(rate, int | Fraction) or rate <= 0:
                raise InputError(f"rate must be a whole number or a Fraction above 0, got {rate!r}")
            facts = Facts(time_base=1 / Fraction(rate), rate=Fraction(rate))
        self._facts, self._next = facts, 0
        if not isinstance(model, VideoModel):
            model = load_video_model(model, device=device)
        self._stack = ExitStack()
        target: Any = file
        if isinstance(file, str | os.PathLike):
            target = self._stack.enter_context(open_whole(Path(file)))
        self._recorder = Recorder(
            target.write,
            model,
            height=height,
            width=width,
            facts=facts,
            quality=quality,
            kbps=kbps,
            keyframe_seconds=keyframe_seconds,
            effort=effort,
            threads=threads,
        )
        self._stack.callback(self._recorder.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self._stack.__exit__(kind, error, trace)

    @property
    def frames(self) -> int:
        """How many are written; a few more may wait."""
        return self._recorder.frames

    @property
    def groups(self) -> int:
        """How many groups are written."""
        return self._recorder.groups

    def add(self, frame: Any) -> None:
        """Take the next frame: a `Frame`, or uint8 (H, W, 3), shown when the rate says.

        Raises: InputError: another size or type, or a time that does not rise.
        """
        if not isinstance(frame, Frame):
            array = np.asarray(frame)
            if self._facts.rate is None:
                raise InputError("frames of a video without a rate have times: give a Frame")
            if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
                raise InputError(f"a frame is uint8 (H, W, 3), got {array.dtype} {array.shape}")
            time = self._next / self._facts.rate
            frame = from_rgb(np.ascontiguousarray(array.transpose(2, 0, 1)), self._facts, time)
        self._recorder.add(frame)
        self._next += 1

    def close(self) -> None:
        """Write what is left. Raises: InputError if there was no frame."""
        with self._stack:
            self._recorder.end()
