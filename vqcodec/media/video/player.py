"""The frames of a stream, drawn as they are needed: all, some, or the one at a time."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import FileBytes, OpenStream, limits_of, open_stream
from vqcodec.content import content_of, open_to_seek
from vqcodec.errors import CorruptError, InputError, kernels_refuse
from vqcodec.media.video.audio import Packet, Track, unpack_packets, unpack_tracks
from vqcodec.media.video.colour import from_rgb
from vqcodec.media.video.facts import unpack_facts
from vqcodec.media.video.group import Group, check_audio, unpack_group
from vqcodec.media.video.group_decoder import decode_codes, decode_group
from vqcodec.media.video.in_turn import in_turn
from vqcodec.media.video.letters import FACTS, LETTERS, NUMBER, TRACKS
from vqcodec.media.video.medium import MEDIUM
from vqcodec.media.video.model import VideoModel, load_video_model
from vqcodec.media.video.numbering import number_groups
from vqcodec.media.video.seeking import Seeker
from vqcodec.media.video.signal import Facts, Frame
from vqcodec.workers import checked_threads
from vqcodec_kernels.entropy.changes import Change

__all__ = ["GroupCodes", "Player", "open_video"]

# Bytes of frames that may wait while groups are decoded side by side.
_MOST_HELD = 2**28


class GroupCodes(NamedTuple):
    """The integers of a group.

    first: number of its first frame. key: codes of that, int64 (S, *grid). changes: of each frame
    behind it, see `vqcodec_kernels.entropy.changes.Change`.
    """

    first: int
    key: NDArray[np.int64]
    changes: list[Change]


class Player:
    """A stream of a video; use as a context manager, or close it.

    Iterating gives its frames, `Frame`s of 4:2:0, one at a time. Memory is that of two frames and
    the bytes of one group, however long it is; with several threads groups are decoded side by
    side, and 256 MiB of frames at most are held.

    Attributes:
        facts: see `Facts`. height, width: in pixels. tracks: of audio.
        counts: how many frames each group has.
        is_whole: False for a stream that was cut or damaged, opened with `partial`.
    """

    def __init__(
        self,
        stream: OpenStream,
        *,
        model: VideoModel | str | Path | None = None,
        device: str = "auto",
        partial: bool = False,
        threads: int | None = None,
    ) -> None:
        header = stream.header
        if header.medium != NUMBER:
            raise CorruptError(f"a stream of medium {header.medium}, not of a video")
        MEDIUM.check(header, stream.side_chunks)
        payloads = {chunk.type: chunk.payload for chunk in stream.side_chunks}
        self.facts: Facts = unpack_facts(payloads[FACTS])
        self.tracks: list[Track] = unpack_tracks(payloads[TRACKS]) if TRACKS in payloads else []
        self.height, self.width = header.extent
        self._stream, self._threads, self._reading = stream, threads, Lock()
        self._device, self._model = device, None if isinstance(model, str | Path) else model
        self._wanted = model if isinstance(model, str | Path) else header.fingerprint.hex()
        numbering = number_groups(stream, partial=partial)
        self._chunks, self._starts, self.counts = numbering
        self._seeker = Seeker(self._head, numbering, self.facts)
        self.is_whole = stream.is_whole and len(self.counts) == len(stream)
        self._closing, self._is_closed = ExitStack(), False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go; what is asked for from then on is refused."""
        self._is_closed = True
        self._closing.close()

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.counts)

    @property
    def frames(self) -> int:
        """How many frames there are in them."""
        return sum(self.counts)

    @property
    def extent(self) -> tuple[int, int, int]:
        """Frames, height and width."""
        return self.frames, self.height, self.width

    @property
    def model(self) -> VideoModel:
        """The model that it needs, loaded when it is first asked for.

        Raises: UnknownModelError: it is not here, or another one was given.
        """
        if self._model is None:
            self._model = load_video_model(self._wanted, device=self._device)
        self._model.check(self._stream.header.fingerprint.hex(), self._stream.header.stages)
        return self._model

    @property
    def duration(self) -> Fraction:
        """Seconds from the beginning to the end of the last frame, see `Facts.lasts`."""
        return self._seeker.duration

    def __len__(self) -> int:
        return self.frames

    def __iter__(self) -> Iterator[Frame]:
        return self.between()

    @kernels_refuse()
    def between(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Frame]:
        """The frames from one number to another, every one or every `step`-th.

        Of groups that hold none of these nothing is read.

        Raises: InputError: no such frames. FormatError: what is read is damaged, as it is drawn.
        """
        stop = self.frames if stop is None else stop
        if not 0 <= start < stop <= self.frames or step < 1:
            raise InputError(
                f"frames {start} to {stop}, every {step}: there are {self.frames}, from 0 on"
            )
        return self._between(range(start, stop, step))

    def at(self, seconds: float | Fraction) -> Frame:
        """The frame that is shown at a time. Raises: InputError: it is not within the video."""
        return self[self.number_at(seconds)]

    def number_at(self, seconds: float | Fraction) -> int:
        """The number of the frame that is shown at a time. Raises: as `at`."""
        return self._seeker.number_at(seconds)

    def __getitem__(self, number: int) -> Frame:
        """One frame, of its group alone."""
        if not -self.frames <= number < self.frames:
            raise IndexError(f"frame {number} of {self.frames}")
        number %= self.frames
        return next(self._between(range(number, number + 1)))

    def group(self, number: int) -> Group:
        """A group as it stands in the stream. Raises: FormatError."""
        payload = self._payload(number)
        group = unpack_group(payload, regions=self.model.regions(self.height, self.width))
        if (group.first, group.count) != (self._starts[number], self.counts[number]):
            raise CorruptError(
                f"group {number} says frames {group.first} to {group.first + group.count}, the "
                f"index {self._starts[number]} to {self._starts[number] + self.counts[number]}"
            )
        check_audio(group, len(self.tracks))
        return group

    def codes(self, number: int) -> GroupCodes:
        """The codes of a group: integers alone, the same on every machine. Raises: FormatError."""
        group = self.group(number)
        key, *changes = decode_codes(group, self.model, self.model.grid(self.height, self.width))
        return GroupCodes(group.first, key, changes)  # type: ignore[arg-type]

    def packets(self, number: int) -> list[Packet]:
        """The packets of audio in a group. Raises: FormatError."""
        audio = self.group(number).audio
        return unpack_packets(audio, len(self.tracks)) if audio else []

    def _between(self, wanted: range) -> Iterator[Frame]:
        sources, begin, most = [], 0, 1
        for number, count in enumerate(self.counts):
            low, high = (_passed(wanted, end) for end in (begin, begin + count))
            if low < high:
                part = wanted[low:high]
                places = range(part.start - begin, part.stop - begin, part.step)
                sources.append(functools.partial(self._of_group, number, places))
                most = max(most, high - low)
            begin += count
        # Loaded once, before several groups ask for it.
        device = self.model.pictures.device
        room = _MOST_HELD // (most * (self.height + 1) * (self.width + 1) * 3 // 2)
        ahead = min(checked_threads(self._threads), room - 1) if device.type == "cpu" else 0
        last, before = -1, -1
        for number, ticks, frame in in_turn(sources, threads=self._threads, ahead=max(ahead, 0)):
            if number != last:
                if ticks[0] <= before:
                    raise CorruptError(f"group {number} is not shown after the one before")
                last, before = number, ticks[-1]
            yield frame

    def _of_group(self, number: int, places: range) -> Iterator[tuple[int, list[int], Frame]]:
        """Frames at places within a group, with its number and the times of all its frames."""
        group = self.group(number)
        ticks, last = group.ticks(self.facts), places[-1]
        pictures = decode_group(group, self.model, self.height, self.width, wanted=places)
        for place, picture in pictures:
            time = ticks[place] * self.facts.time_base
            yield number, ticks, from_rgb(picture, self.facts, time)
            if place == last and place + 1 < group.count:
                return

    def _payload(self, number: int) -> bytes:
        if self._is_closed:
            raise InputError("the video is closed: draw its frames before")
        with self._reading:
            return self._stream.codes_of(self._chunks[number])

    def _head(self, number: int) -> Group:
        """A group without its key frame and changes."""
        payload = self._payload(number)
        # The times stand before the key frame, however many regions that has.
        return unpack_group(payload, regions=0, whole=False)


def _passed(wanted: range, end: int) -> int:
    """How many of the wanted frames come before one."""
    return len(range(wanted.start, min(end, wanted.stop), wanted.step))


def open_video(
    data: Any,
    *,
    device: str = "auto",
    model: VideoModel | str | Path | None = None,
    partial: bool = False,
    max_samples: int | None = None,
    threads: int | None = None,
) -> Player:
    """Open a stream of a video to draw its frames.

    Args:
        data: the path or URL of its file, which is read as frames are drawn, one that is open for
            reading and can seek, or its bytes.
        device: where networks run. model: another file of the model than the one that is here.
        partial: take what is whole of a recording that was cut or damaged.
        max_samples: refuse frames of more pixels.
        threads: at most so many decode; None for as many as torch has.

    Raises:
        InputError: the file cannot be read, or threads is not a whole number from 1.
        FormatError: it is no stream, damaged, cut or of another medium.

    >>> import io, vqcodec
    >>> buffer = io.BytesIO()
    >>> with vqcodec.VideoEncoder(buffer, height=48, width=64, rate=25) as encoder:
    ...     for level in (0, 0, 90):
    ...         encoder.add(np.full((48, 64, 3), level, np.uint8))
    >>> with open_video(buffer.getvalue()) as video:
    ...     video.extent, [str(frame.time) for frame in video], video.at(0.05).time
    ((3, 48, 64), ['0', '1/25', '2/25'], Fraction(1, 25))
    """
    limits = limits_of(max_samples)
    with ExitStack() as stack:
        if isinstance(data, bytes | bytearray | memoryview):
            readable: Any = bytes(data)
        else:
            file = stack.enter_context(open_to_seek(data))
            readable = bytes(content_of(data)) if file is None else FileBytes(file)
        stream = open_stream(readable, limits, letters=LETTERS, partial=partial)
        player = Player(stream, model=model, device=device, partial=partial, threads=threads)
        player._closing = stack.pop_all()
    return player
