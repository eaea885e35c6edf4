"""What codes videos: `vqcodec.media.coder.StreamingCoder`."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from vqcodec.bitstream import Limits, Stream
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.media.video.audio import Packet
from vqcodec.media.video.codec import VideoCodec
from vqcodec.media.video.files import Writer, format_of, open_writer, read_video
from vqcodec.media.video.model import VideoModel, load_video_model
from vqcodec.media.video.player import Player, open_video
from vqcodec.media.video.recorder import Recorder
from vqcodec.media.video.signal import Frame, Video
from vqcodec.media.video.y4m import Y4mWriter

__all__ = ["CODER", "VideoCoder"]

# Frames a second that are said where a mean rate is next to nothing.
_SLOWEST = Fraction(1, 1000)
Progress = Callable[[int, int], None]


class VideoCoder:
    """Videos to streams and back, group by group."""

    def encode(self, signal: Video, **options: Any) -> bytes:
        """The stream of a video; options are those of `encode_to`."""
        buffer = io.BytesIO()
        self.encode_to(signal, buffer.write, **options)
        return buffer.getvalue()

    @kernels_refuse()
    def encode_to(
        self,
        signal: Video,
        write: Callable[[bytes], object],
        *,
        quality: float = 50.0,
        kbps: float | None = None,
        keyframe_seconds: float = 2.0,
        effort: int = 5,
        model: VideoModel | str | Path = "video",
        device: str = "auto",
        audio: bool = True,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Write the stream of a video as its frames are drawn; gives what is worth telling.

        Raises: InputError: an option that makes no sense, or frames that are none.
        """
        track = signal.audio if audio else None
        with Recorder(
            write,
            model if isinstance(model, VideoModel) else load_video_model(model, device=device),
            height=signal.height,
            width=signal.width,
            facts=signal.facts,
            tracks=[] if track is None else track.tracks,
            quality=quality,
            kbps=kbps,
            keyframe_seconds=keyframe_seconds,
            effort=effort,
            threads=threads,
        ) as recorder:
            expected = _expected_frames(signal)
            count, first, last = 0, Fraction(0), Fraction(0)
            for count, frame in enumerate(signal, 1):
                recorder.add(frame, [] if track is None else track.take())
                first, last = first if count > 1 else frame.time, frame.time
                if progress is not None:
                    progress(count, max(expected, count + 1))
            recorder.end([] if track is None else track.take())
        lasts = signal.facts.lasts(signal.facts.ticks(last - first), count)
        seconds = float(last - first + lasts)
        return {
            "frames": count,
            "groups": recorder.groups,
            "bytes": recorder.size,
            "duration": seconds,
            "kbps": 8 * recorder.size / 1000 / seconds,
        }

    def decode(
        self,
        stream: Stream,
        *,
        region: Sequence[slice] | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Video:
        """Refuse: see `open_video`, which draws frames as they are needed."""
        raise InputError("a video is opened with vqcodec.open_video, which gives its frames")

    def write_decoded(self, stream: Stream, file: BinaryIO, **options: Any) -> tuple[int, ...]:
        """Refuse: see `decode_to`, which draws frames as they are written."""
        raise InputError("a video is opened with vqcodec.open_video, which gives its frames")

    @contextmanager
    def opened(self, data: Any, **options: Any) -> Iterator[Player]:
        """A stream, as `open_video` takes it and its options."""
        with open_video(data, **options) as player:
            yield player

    @kernels_refuse()
    def decode_to(
        self,
        player: Player,
        target: Path | BinaryIO,
        *,
        start: int = 0,
        stop: int | None = None,
        every: int = 1,
        audio: bool = True,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Write frames to a file by its name, or as YUV4MPEG2 to an open one.

        start, stop, every: of the frames, see `Player.between`. Audio is put back into the whole.
        Raises: InputError: no such frames, or a format that cannot hold them; FormatError.
        """
        stop = player.frames if stop is None else stop
        frames = player.between(start, stop, every)
        whole = (start, stop, every) == (0, player.frames, 1)
        tracks = player.tracks if whole and audio else []
        total = len(range(start, stop, every))
        with self._writer(player, target, tracks, first=start, step=every) as writer:
            packets = _Packets(player) if tracks else None
            for done, frame in enumerate(_from_zero(frames, start), 1):
                if packets is not None:
                    writer.write_audio(packets.up_to(start + done - 1))
                writer.write(frame)
                if progress is not None:
                    progress(done, total)
            if packets is not None:
                writer.write_audio(packets.up_to(player.frames))
            lost = list(writer.lost)
        if player.tracks and not tracks:
            lost.append("audio")
        return {"frames": total, "lost": lost}

    def compare(self, stream: Stream, original: Video) -> str:
        """Refuse: there is no bound."""
        raise InputError("a video has no bound that it could be held against")

    def load(self, name_or_path: str | Path, *, device: str = "auto") -> VideoCodec:
        """A model, ready for videos in memory."""
        return VideoCodec(load_video_model(name_or_path, device=device))

    def read_from(self, file: BinaryIO, limits: Limits) -> Video:
        """The video in a pipe, drawn once."""
        return read_video(file, limits)

    def is_many(self, target: str) -> bool:
        """Whether a name stands for a file of each frame; raises InputError for what is none."""
        return format_of(target) == "png"

    def picture(self, player: Player, seconds: float) -> Any:
        """The frame at a time, red, green and blue, uint8 (H, W, 3)."""
        from vqcodec.media.video.colour import to_rgb

        return to_rgb(player.at(seconds), player.facts).transpose(1, 2, 0)

    @contextmanager
    def _writer(
        self, player: Player, target: Path | BinaryIO, tracks: Any, *, first: int, step: int
    ) -> Iterator[Writer]:
        mean = player.frames / player.duration
        rate = (player.facts.rate or max(mean.limit_denominator(1000), _SLOWEST)) / step
        if not isinstance(target, Path):
            yield Y4mWriter(target, _slower(player.facts, step), mean_rate=rate)
            return
        with open_writer(
            target,
            height=player.height,
            width=player.width,
            facts=player.facts,
            tracks=tracks,
            mean_rate=rate,
            first=first,
            step=step,
        ) as opened:
            yield opened


CODER = VideoCoder()


class _Packets:
    """The packets of audio of a stream, group by group, as far as its frames are written."""

    def __init__(self, player: Player) -> None:
        self._player, self._group, self._first = player, 0, 0

    def up_to(self, frame: int) -> list[Packet]:
        """Those of the groups that begin with this frame or before, not given before."""
        found: list[Packet] = []
        while self._group < self._player.groups and self._first <= frame:
            found += self._player.packets(self._group)
            self._first += self._player.counts[self._group]
            self._group += 1
        return found


def _from_zero(frames: Iterable[Frame], start: int) -> Iterator[Frame]:
    """Frames whose times begin at 0 where they are not the first ones of their video."""
    begin: Fraction | None = None if start else Fraction(0)
    for frame in frames:
        if begin is None:
            begin = frame.time
        yield Frame(frame.y, frame.u, frame.v, frame.time - begin)


def _slower(facts: Any, step: int) -> Any:
    """The facts of every `step`-th frame."""
    rate = None if facts.rate is None else facts.rate / step
    return dataclasses.replace(facts, rate=rate)


def _expected_frames(signal: Video) -> int:
    """How many frames there will be, about; 0 if nobody knows."""
    if signal.count is not None:
        return signal.count
    if signal.duration is None or signal.facts.rate is None:
        return 0
    return round(signal.duration * signal.facts.rate)
