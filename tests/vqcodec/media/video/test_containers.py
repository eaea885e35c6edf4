"""Files of PyAV: frames, times and facts as they were written, and refusals by name."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import container_of, make_video
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, LimitError
from vqcodec.media.video.containers import open_container, read_container
from vqcodec.media.video.files import open_writer
from vqcodec.media.video.planes import frame_to
from vqcodec.media.video.signal import Facts, Frame, Video


def frames_of(video: Video, ticks: Sequence[int], base: Fraction) -> list[Any]:
    out = []
    for frame, tick in zip(video, ticks, strict=True):
        out.append(frame_to(frame))
        out[-1].pts, out[-1].time_base = tick, base
    return out


def clip(count: int = 6, height: int = 48, width: int = 64, **more: Any) -> bytes:
    frames = frames_of(make_video(count, height, width), range(count), Fraction(1, 10))
    return container_of(frames, **more)


def same(found: Frame, wanted: Frame) -> bool:
    return all(np.array_equal(getattr(found, p), getattr(wanted, p)) for p in "yuv")


@pytest.mark.parametrize(("height", "width"), [(48, 64), (49, 63), (1, 17)])
def test_lossless_frames_come_back(height: int, width: int) -> None:
    video = read_container(io.BytesIO(clip(3, height, width)))
    assert (video.height, video.width, video.facts.rate) == (height, width, Fraction(10))
    wanted = list(make_video(3, height, width))
    found = list(video)
    assert [frame.time for frame in found] == [frame.time for frame in wanted]
    assert all(map(same, found, wanted))


def test_times_of_a_varying_rate_are_kept() -> None:
    ticks, base = [0, 40, 41, 200, 1000], Fraction(1, 1000)
    data = container_of(frames_of(make_video(5), ticks, base), time_base=base)
    video = read_container(io.BytesIO(data))
    assert [frame.time for frame in video] == [tick * base for tick in ticks]


@pytest.mark.parametrize(
    ("ticks", "rate"), [([0, 512, 1024, 1536], 25), ([0, 40, 900, 3000], None)]
)
def test_a_rate_is_one_or_none(ticks: list[int], rate: int | None) -> None:
    base = Fraction(1, 12800)
    frames = frames_of(make_video(4), ticks, base)
    data = container_of(frames, format="mp4", codec="libx264", time_base=base, rate=25)
    assert read_container(io.BytesIO(data)).facts.rate == rate


def test_facts_are_kept() -> None:
    tags = {
        **{"sample_aspect_ratio": Fraction(4, 3), "color_range": 2, "colorspace": 1},
        **{"color_primaries": 1, "color_trc": 13},
    }
    video = read_container(io.BytesIO(clip(codec="libx264", tags=tags, rotation=-90)))
    assert video.facts == Facts(
        time_base=Fraction(1, 1000),
        rate=Fraction(10),
        aspect=Fraction(4, 3),
        rotation=90,
        matrix=1,
        primaries=1,
        transfer=13,
        full_range=True,
    )
    assert video.remarks == ()
    assert video.duration == Fraction(6, 10)


def test_a_file_is_read_as_often_as_one_likes(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    path.write_bytes(clip(audio="flac"))
    video = open_container(str(path))
    assert video.audio is not None
    assert not video.drawn_once
    passes = []
    for _ in range(2):
        times = [frame.time for frame in video]
        passes.append((times, video.audio.take()))
    assert passes[0] == passes[1]
    assert len(passes[0][0]) == 6
    with path.open("rb") as file:
        assert read_container(file).drawn_once


class Pipe(io.RawIOBase):
    """Bytes that come once, from front to back."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(buffer[:1000])


def test_a_pipe_is_read() -> None:
    found = list(read_container(io.BufferedReader(Pipe(clip()))))
    assert all(map(same, found, make_video(6)))
    assert len(found) == 6


def planes_of(pix_fmt: str, codec: str = "ffv1") -> tuple[Video, Frame]:
    """The first frame of a file of another layout, of samples 0, 5, 10, ... of its range."""
    frame = av.VideoFrame(8, 4, pix_fmt)
    for number, plane in enumerate(frame.planes):
        kind = np.uint16 if "10" in pix_fmt else np.uint8
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
        rows[:] = (
            10 * np.arange(rows.shape[1]) + 100 * number + 2 * np.arange(plane.height)[:, None]
        )
    frame.pts, frame.time_base = 0, Fraction(1, 10)
    video = read_container(io.BytesIO(container_of([frame], codec=codec, pix_fmt=pix_fmt)))
    return video, next(iter(video))


def test_ten_bits_become_eight() -> None:
    video, frame = planes_of("yuv420p10le")
    assert video.remarks == ("10 bits of a sample became 8",)
    assert frame.y[0].tolist() == [(10 * n + 2) // 4 for n in range(8)]
    assert frame.v[1].tolist() == [(202 + 10 * n + 2) // 4 for n in range(4)]


def test_full_chroma_becomes_half() -> None:
    video, frame = planes_of("yuv444p")
    assert video.remarks == ("chroma of 4:4:4 became 4:2:0",)
    # 100 + 10 n + 0.5, which only the last column's missing neighbours change.
    assert frame.u[0].tolist() == [101, 121, 141, 162]
    video, frame = planes_of("yuv422p")
    assert frame.u[0].tolist() == [101, 111, 121, 131]


def test_grey_and_rgb_become_colours() -> None:
    video, frame = planes_of("gray")
    assert (video.facts.full_range, frame.u.tolist()) == (True, [[128] * 4] * 2)
    rgb = av.VideoFrame.from_ndarray(np.full((4, 8, 3), 255, np.uint8), format="rgb24")
    rgb = rgb.reformat(format="bgr0")
    rgb.pts, rgb.time_base = 0, Fraction(1, 10)
    data = container_of([rgb], codec="ffv1", pix_fmt="bgr0")
    video = read_container(io.BytesIO(data))
    assert video.remarks == ("colours of RGB became luma and halved chroma (4:2:0)",)
    assert (next(iter(video)).y == 235).all()


def test_audio_comes_with_the_frames_or_is_left_out_with_a_word() -> None:
    data = clip(audio="aac")
    video = read_container(io.BytesIO(data))
    assert video.audio is not None
    list(video)
    packets = video.audio.take()
    with av.open(io.BytesIO(data)) as container:
        wanted = [(bytes(p), p.pts) for p in container.demux(audio=0) if p.size]
    assert [(packet.data, packet.time) for packet in packets] == wanted
    silent = read_container(io.BytesIO(data), keep_audio=False)
    assert silent.audio is None
    assert silent.remarks == ("a track of audio is left out",)


KINDS = [
    *(("avi", "libx264", None), ("avi", "mpeg4", None), ("avi", "mjpeg", None)),
    *(("flv", "libx264", "aac"), ("mpegts", "libx264", "aac"), ("mp4", "libx264", "aac")),
    *(("webm", "libvpx-vp9", "libopus"), ("matroska", "libx265", "flac")),
]


@pytest.mark.parametrize(("format", "codec", "audio"), KINDS)
def test_frames_of_any_container_come_in_their_order(
    format: str, codec: str, audio: str | None
) -> None:
    """Frames that are predicted from later ones, and containers that say when to decode alone."""
    base = Fraction(1, 25)
    frames = frames_of(make_video(20, 64, 96), range(20), base)
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    frames = [frame.reformat(format=pix_fmt) for frame in frames]
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, base
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {"bf": "2"}
    options = {} if codec in ("mjpeg", "libvpx-vp9") else options
    data = container_of(
        frames,
        codec=codec,
        format=format,
        time_base=base,
        rate=25,
        pix_fmt=pix_fmt,
        audio=audio,
        options=options,
    )
    found = list(read_container(io.BytesIO(data)))
    assert len(found) == 20
    steps = [float(b.time - a.time) for a, b in itertools.pairwise(found)]
    assert steps == pytest.approx([0.04] * 19, abs=1e-3)


def heard(data: bytes) -> Any:
    with av.open(io.BytesIO(data)) as container:
        frames = container.decode(audio=0)
        return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def test_audio_of_a_transport_stream_is_heard_elsewhere(tmp_path: Path) -> None:
    """Its packets carry headers, which other containers do not have."""
    data = clip(codec="libx264", format="mpegts", audio="aac")
    video = read_container(io.BytesIO(data))
    assert video.audio is not None
    path = tmp_path / "back.mkv"
    with open_writer(
        path, height=48, width=64, facts=video.facts, tracks=video.audio.tracks
    ) as writer:
        for frame in video:
            writer.write_audio(video.audio.take())
            writer.write(frame)
        writer.write_audio(video.audio.take())
    found, wanted = heard(path.read_bytes()), heard(data)
    assert wanted.shape[1] > 40000
    assert np.array_equal(found[:, : wanted.shape[1]], wanted[:, : found.shape[1]])


def test_interlaced_video_is_refused() -> None:
    data = clip(codec="mpeg2video", options={"flags": "+ildct+ilme"})
    with pytest.raises(InputError, match="the video is interlaced: deinterlace it first"):
        list(read_container(io.BytesIO(data)))


def test_a_file_without_video_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 80), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(InputError, match="there is no video in the file, it holds audio"):
        read_container(io.BytesIO(file.getvalue()))


def test_a_changing_size_is_refused() -> None:
    """As streams of cameras change it: one stream of H.264 behind another."""
    data = clip(codec="libx264", format="h264") + clip(
        height=32, width=32, codec="libx264", format="h264"
    )
    with pytest.raises(InputError, match="frame 6 is 32 x 32 pixels, the first one 64 x 48"):
        list(read_container(io.BytesIO(data)))


def test_a_large_frame_is_refused() -> None:
    with pytest.raises(LimitError, match="a frame has 3072 samples, more than the limit of 3000"):
        read_container(io.BytesIO(clip()), Limits(max_samples=3000))


@pytest.mark.parametrize("format", ["matroska", "mp4"])
def test_a_cut_file_is_refused(format: str) -> None:
    """At any place: by its container, by the codec, or for what it says of its length."""
    data = clip(40, 48, 64, codec="libx264", format=format, options={"crf": "5"})
    for part in (0.0, 0.01, 0.2, 0.5):
        with pytest.raises(InputError, match=r"damaged|cut off"):
            list(read_container(io.BytesIO(data[: int(part * len(data))])))


@functools.cache
def whole(format: str) -> bytes:
    return clip(6, codec="libx264", format=format, audio="aac")


@settings(max_examples=60, deadline=None)
@given(
    format=st.sampled_from(["matroska", "mp4", "mpegts", "flv"]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    kept=st.just(1.0) | st.floats(0, 1),
)
def test_any_damage_ends_in_a_named_error(
    format: str, changes: list[tuple[float, int]], kept: float
) -> None:
    """Or in frames, where nobody can notice; half of the changes are near the beginning."""
    data = bytearray(whole(format))
    for place, value in changes:
        span = len(data) if value % 2 else min(900, len(data))
        data[int(place * (span - 1))] = value
    with contextlib.suppress(InputError, LimitError):
        video = read_container(io.BytesIO(bytes(data[: int(kept * len(data))])))
        assert all(frame.extent == (video.height, video.width) for frame in video)


def test_damage_is_refused() -> None:
    data = bytearray(clip(20, codec="libx264", options={"crf": "5"}))
    start = len(data) // 2
    data[start : start + 400] = bytes(range(200)) * 2
    with pytest.raises(InputError, match=r"damaged|cut off"):
        list(read_container(io.BytesIO(bytes(data))))


@pytest.mark.parametrize("data", [b"", b"hello" * 100, b"#EXTM3U\n#EXTINF:1\n/etc/hostname\n"])
def test_no_container_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="damaged, cut off or of an unknown format"):
        read_container(io.BytesIO(data))
