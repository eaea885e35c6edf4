"""Small videos that tests make: planes of a moving gradient, and files of PyAV."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np

from vqcodec.media.video.signal import Facts, Frame, Video

__all__ = ["container_of", "make_frame", "make_video"]


def make_frame(number: int, height: int, width: int, time: Fraction) -> Frame:
    """A smooth frame that moves by two pixels a frame."""
    rows, columns = np.mgrid[0:height, 0:width]
    y = 128 + 90 * np.sin((columns + 2 * number) / 9) * np.cos(rows / 7)
    u, v = 128 + 40 * np.sin(columns / 30), 128 + 40 * np.cos((rows - number) / 20)
    planes = [plane.round().astype(np.uint8) for plane in (y, u[::2, ::2], v[::2, ::2])]
    y, u, v = planes
    return Frame(y, u, v, time)


def make_video(
    count: int = 6,
    height: int = 48,
    width: int = 64,
    *,
    facts: Facts | None = None,
    ticks: Sequence[int] | None = None,
) -> Video:
    """So many frames, ten in a second or at these multiples of the time base."""
    facts = facts or Facts(time_base=Fraction(1, 10), rate=Fraction(10))
    shown = range(count) if ticks is None else ticks
    frames = [make_frame(n, height, width, tick * facts.time_base) for n, tick in enumerate(shown)]
    return Video(frames, height=height, width=width, facts=facts, count=count)


def container_of(
    frames: Sequence[Any],
    *,
    codec: str = "ffv1",
    format: str = "matroska",
    time_base: Fraction = Fraction(1, 10),
    pix_fmt: str = "yuv420p",
    audio: str | None = None,
    tags: dict[str, Any] | None = None,
    options: dict[str, str] | None = None,
    rotation: int = 0,
    rate: int = 10,
) -> bytes:
    """The bytes of a file of frames of PyAV whose times are set; a second of a tone as audio."""
    file = io.BytesIO()
    with av.open(file, "w", format=format) as container:
        stream = container.add_stream(
            codec,
            rate=rate,
            options=options or {},
            width=frames[0].width,
            height=frames[0].height,
            time_base=time_base,
        )
        stream.codec_context.pix_fmt = pix_fmt
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if rotation:
            stream.set_display_rotation(rotation)
        sound = container.add_stream(audio, rate=48000) if audio else None
        if sound is not None:
            _mux_tone(container, sound)
        for frame in frames:
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _mux_tone(container: Any, stream: Any) -> None:
    tone = 0.3 * np.sin(np.arange(48000) / 20).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=48000)
    for part in resampler.resample(frame):
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))
