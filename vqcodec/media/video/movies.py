"""Videos that players show, through PyAV: a second lossy codec, at a quality that hides it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from vqcodec.errors import InputError
from vqcodec.media.video.audio import Packet, Track
from vqcodec.media.video.planes import frame_to
from vqcodec.media.video.pyav import import_av, named_errors
from vqcodec.media.video.signal import Facts, Frame
from vqcodec.media.video.tracks import add_track, mux_packets

__all__ = ["MOVIES", "MovieWriter"]


@dataclass(frozen=True)
class _Encoder:
    name: str
    options: dict[str, str] = field(default_factory=dict)


# Near 50 dB of the frames that were decoded, far above what these are of their original.
_H264 = _Encoder("libx264", {"crf": "12", "preset": "medium"})
# Also what takes odd sides, which H.264 of halved chroma does not.
_VP9 = _Encoder("libvpx-vp9", {"crf": "12", "deadline": "good", "cpu-used": "4"})
# Format -> FFmpeg's name of the container, and the encoder.
MOVIES = {"mkv": ("matroska", _H264), "mp4": ("mp4", _H264), "webm": ("webm", _VP9)}
_USUAL_RATE = Fraction(25)
# FFmpeg's fractions are of signed numbers of 32 bits.
_MOST_PARTS = 2**31 - 1


class MovieWriter:
    """Writes frames and audio to a file as they come: H.264 of crf 12, or VP9 in .webm.

    Times of frames are kept, to a millisecond in .mkv and .webm. mean_rate: what the file says of
    frames per second where they vary. lost: facts that it does not hold, in words.

    Raises: MissingDependencyError without PyAV; InputError: the container cannot hold a track, or
    facts of such numbers.
    """

    def __init__(
        self,
        path: Path,
        format: str,
        *,
        height: int,
        width: int,
        facts: Facts,
        tracks: Sequence[Track] = (),
        mean_rate: Fraction = _USUAL_RATE,
    ) -> None:
        av = import_av(f"write .{format}")
        self._facts, self._tracks = facts, tuple(tracks)
        container, encoder = MOVIES[format]
        rate = facts.rate or mean_rate
        for name, value in (
            ("time base", facts.time_base),
            ("frame rate", rate),
            ("pixel aspect", facts.aspect),
        ):
            if max(value.numerator, value.denominator) > _MOST_PARTS:
                raise InputError(f"the {name} {value} cannot be written as .{format}: write .y4m")
        if height % 2 or width % 2:
            encoder = _VP9
        # H.264 says it itself; Matroska would, and PyAV does not tell it.
        is_lost = encoder is _VP9 and container != "mp4" and facts.aspect != 1
        self.lost: tuple[str, ...] = ("pixel aspect",) if is_lost else ()
        self._rate = rate
        with named_errors(f"cannot write .{format}"):
            self._container = av.open(str(path), "w", format=container)
            self._stream = self._video_stream(encoder, height, width)
            self._audio = [add_track(self._container, track) for track in self._tracks]
        advice = " with this audio: write .mkv, or leave audio out" if self._tracks else ""
        with named_errors(f"cannot write .{format}{advice}"):
            self._container.start_encoding()

    def _video_stream(self, encoder: _Encoder, height: int, width: int) -> Any:
        facts = self._facts
        stream = self._container.add_stream(
            encoder.name,
            rate=self._rate,
            options=dict(encoder.options),
            width=width,
            height=height,
            time_base=facts.time_base,
        )
        context = stream.codec_context
        context.pix_fmt = "yuv420p"
        context.sample_aspect_ratio = facts.aspect
        context.color_range = 2 if facts.full_range else 1
        context.colorspace = facts.matrix
        context.color_primaries = facts.primaries
        context.color_trc = facts.transfer
        if facts.rotation:
            # FFmpeg turns the other way.
            stream.set_display_rotation(-facts.rotation)
        return stream

    def write(self, frame: Frame) -> None:
        """Write the next frame."""
        out = frame_to(frame)
        out.pts, out.time_base = self._facts.ticks(frame.time), self._facts.time_base
        with named_errors("cannot write the video"):
            self._container.mux(self._stream.encode(out))

    def write_audio(self, packets: Sequence[Packet]) -> None:
        """Write the next packets of audio."""
        with named_errors("cannot write the audio"):
            mux_packets(self._container, self._audio, self._tracks, packets)

    def end(self) -> None:
        """Write what is left, and close the file."""
        with named_errors("cannot write the video"):
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def close(self) -> None:
        """Let the file go, whatever it holds."""
        # Of one that ended well nothing is left to be said; another one is thrown away.
        with suppress(import_av("write videos").FFmpegError):
            self._container.close()
