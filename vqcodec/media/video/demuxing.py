"""A file of a container once, from its beginning to its end: frames, and packets of audio."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, BinaryIO

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, LimitError
from vqcodec.media.video.adts import without_header
from vqcodec.media.video.audio import MOST_TRACKS, Audio, Packet
from vqcodec.media.video.colour import matrix_of
from vqcodec.media.video.planes import frame_from, is_full_range, is_rgb, words_for
from vqcodec.media.video.pyav import ALONE, import_av, named_errors
from vqcodec.media.video.signal import Facts, Frame, Video
from vqcodec.media.video.tracks import has_headers, track_of

__all__ = ["Pass"]

_DAMAGED = "the video is damaged, cut off or of an unknown format"
_MICROSECOND = Fraction(1, 10**6)
_USUAL_RATE = Fraction(25)
# How much of a file may be missing at its end before it counts as cut off: seconds, and a part.
_SLACK, _SLACK_PART = Fraction(1), Fraction(1, 50)
# Codecs whose chroma lies between samples of luma; that of others lies on the left ones.
_CENTRED = ("mjpeg", "mpeg1video")
_RGB_MATRIX = 0
# Containers that say when a frame is decoded, not when it is shown: both are in the same order.
_BY_ORDER = ("avi",)
# Packets that are held until those of all tracks of audio have come that say what these are.
_MOST_AHEAD = 4096


class Pass:
    """A file from its beginning to its end, once.

    audio: of an earlier pass, which takes packets again. Raises: as `read_container`.
    """

    def __init__(
        self, file: BinaryIO, limits: Limits, keep_audio: bool, audio: Audio | None
    ) -> None:
        av = import_av("read other videos than YUV4MPEG2")
        with named_errors(_DAMAGED):
            self._container = av.open(file, "r", options=ALONE, metadata_errors="replace")
        self._stream = self._chosen(limits)
        tracks = self._container.streams.audio[: MOST_TRACKS if keep_audio else 0]
        self._tracks = {stream.index: number for number, stream in enumerate(tracks)}
        self._headed = {stream.index for stream in tracks if has_headers(stream)}
        self._is_by_order = self._container.format.name in _BY_ORDER
        self._reached, self._orders = Fraction(0), list[int]()
        with named_errors(_DAMAGED):
            firsts = self._look_ahead()
            self.audio = audio
            if audio is None and tracks:
                self.audio = Audio(
                    [track_of(stream, firsts.get(stream.index)) for stream in tracks]
                )
            self._decoded = self._draw()
            first = next(self._decoded, None)
        if first is None:
            raise InputError("the video is damaged or cut off: it has no frame")
        _check_frame(first, 0)
        self._first: Any = first
        self._facts = self._judged(first)

    def close(self) -> None:
        """Let the container go, not the file."""
        self._container.close()

    def video(self, frames: Iterable[Frame]) -> Video:
        """The video of these frames."""
        first, length = self._first, self._container.duration
        return Video(
            frames,
            height=first.height,
            width=first.width,
            facts=self._facts,
            duration=None if length is None else length * _MICROSECOND,
            audio=self.audio,
            remarks=(*words_for(first), *self._left_out()),
        )

    def frames(self) -> Iterator[Frame]:
        """The frames, the first one included."""
        number, frame = 0, self._first
        with named_errors(f"{_DAMAGED}, or cannot be decoded"):
            while frame is not None:
                _check_frame(frame, number)
                yield frame_from(frame, self._facts, self._time(frame, number))
                number, frame = number + 1, next(self._decoded, None)
        self._check_end()

    def _chosen(self, limits: Limits) -> Any:
        """The video stream, no picture of a cover, of a size that is allowed."""
        av = import_av("read videos")
        cover = av.stream.Disposition.attached_pic
        streams = [s for s in self._container.streams.video if not s.disposition & cover]
        if not streams:
            kinds = sorted({stream.type for stream in self._container.streams}) or ["nothing"]
            raise InputError(f"there is no video in the file, it holds {', '.join(kinds)}")
        stream = streams[0]
        if stream.codec_context is None:
            raise InputError("the video is of a codec that FFmpeg does not decode here")
        samples = stream.codec_context.width * stream.codec_context.height
        if samples > limits.max_samples:
            raise LimitError(
                f"a frame has {samples} samples, more than the limit of {limits.max_samples}",
                argument="max_samples",
            )
        stream.codec_context.options = {"max_pixels": str(limits.max_samples)}
        stream.thread_type = "AUTO"
        return stream

    def _look_ahead(self) -> dict[int, bytes]:
        """The first packets of tracks that say in these what they are; nothing is lost."""
        packets, ahead, firsts = self._container.demux(), list[Any](), dict[int, bytes]()
        while self._headed - firsts.keys() and len(ahead) < _MOST_AHEAD:
            if (packet := next(packets, None)) is None:
                break
            ahead.append(packet)
            if packet.size and packet.stream.index in self._headed:
                firsts.setdefault(packet.stream.index, bytes(packet))
        self._packets = itertools.chain(ahead, packets)
        return firsts

    def _draw(self) -> Iterator[Any]:
        """Frames of PyAV as they are decoded; audio is handed on as it comes."""
        for packet in self._packets:
            if packet.dts is not None and packet.time_base:
                end = ((packet.pts or packet.dts) + (packet.duration or 0)) * packet.time_base
                self._reached = max(self._reached, end)
            if packet.stream.index == self._stream.index:
                if self._is_by_order and packet.size and packet.dts is not None:
                    heapq.heappush(self._orders, packet.dts)
                yield from packet.decode()
            elif packet.stream.index in self._tracks and packet.size and self.audio is not None:
                self.audio.add(self._heard(packet, self.audio))

    def _heard(self, packet: Any, audio: Audio) -> Packet:
        """A packet of audio as it is kept."""
        number, data = self._tracks[packet.stream.index], bytes(packet)
        if packet.stream.index in self._headed:
            data = without_header(data)
        time = packet.pts if packet.pts is not None else packet.dts or 0
        shift = round(self._start() / audio.tracks[number].time_base)
        return Packet(number, data, time - shift, packet.duration or 0)

    def _start(self) -> Fraction:
        """What counts as 0: where the file begins, or the time base of the video before that."""
        start, base = (self._container.start_time or 0) * _MICROSECOND, self._stream.time_base
        return Fraction(start // base * base)

    def _judged(self, first: Any) -> Facts:
        """What is true of all frames, by the first one. Raises: InputError if it is not read."""
        rate = self._rate()
        base = self._stream.time_base if first.pts is not None else 1 / (rate or _USUAL_RATE)
        rgb = is_rgb(first)
        matrix = 2 if rgb or first.colorspace == _RGB_MATRIX else int(first.colorspace)
        facts = Facts(
            time_base=base,
            rate=rate,
            aspect=self._stream.sample_aspect_ratio or Fraction(1),
            rotation=-first.rotation % 360,
            matrix=matrix,
            primaries=int(first.color_primaries),
            transfer=int(first.color_trc),
            full_range=not rgb and is_full_range(first),
            siting=int(self._stream.codec_context.name in _CENTRED),
        )
        matrix_of(facts, first.height, first.width)
        words_for(first)
        return facts

    def _rate(self) -> Fraction | None:
        """Frames per second, None where the container's two ideas of it differ."""
        mean, base = self._stream.average_rate, self._stream.base_rate
        if not mean or not base or abs(mean / base - 1) > Fraction(1, 1000):
            return None
        return Fraction(base)

    def _time(self, frame: Any, number: int) -> Fraction:
        if frame.pts is None:
            return number * self._facts.time_base
        if self._orders:
            return Fraction(heapq.heappop(self._orders) * self._stream.time_base - self._start())
        return Fraction(frame.pts * frame.time_base - self._start())

    def _left_out(self) -> tuple[str, ...]:
        others = [
            stream.type
            for stream in self._container.streams
            if stream.index not in {self._stream.index, *self._tracks}
        ]
        return tuple(f"a track of {kind} is left out" for kind in others)

    def _check_end(self) -> None:
        """Whether the file goes as far as it says itself."""
        length = self._container.duration
        if length is None:
            return
        said = length * _MICROSECOND
        found = self._reached - (self._container.start_time or 0) * _MICROSECOND
        if found < said - max(_SLACK, said * _SLACK_PART):
            raise InputError(
                f"the video is cut off: it says {float(said):.2f} s, {float(found):.2f} s are there"
            )


def _check_frame(frame: Any, number: int) -> None:
    """Raise InputError for a frame that is damaged, or half of one time and half of another."""
    if frame.is_corrupt:
        raise InputError(f"the video is damaged at frame {number}")
    if frame.interlaced_frame:
        raise InputError(
            "the video is interlaced: deinterlace it first, as with ffmpeg -i IN -vf bwdif OUT"
        )
