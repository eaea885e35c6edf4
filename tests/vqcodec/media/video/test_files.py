"""Files that are written and read again: times, facts, audio, and nothing by halves."""

from __future__ import annotations

import io
import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import container_of, make_video
from PIL import Image

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.video.audio import Packet
from vqcodec.media.video.colour import to_rgb
from vqcodec.media.video.files import format_of, open_video_file, open_writer, read_video
from vqcodec.media.video.planes import frame_to
from vqcodec.media.video.pyav import import_av
from vqcodec.media.video.signal import Facts, Frame, Video
from vqcodec.media.video.suffixes import looks_like_video

FACTS = Facts(
    time_base=Fraction(1, 1000),
    aspect=Fraction(4, 3),
    rotation=270,
    matrix=1,
    primaries=1,
    transfer=1,
)
TICKS = [0, 40, 41, 200, 1000, 1033]


def written(video: Video, path: Path) -> Video:
    return with_losses(video, path)[0]


def with_losses(video: Video, path: Path) -> tuple[Video, tuple[str, ...]]:
    with open_writer(path, height=video.height, width=video.width, facts=video.facts) as writer:
        for frame in video:
            writer.write(frame)
    return open_video_file(str(path)), writer.lost


def psnr(found: Frame, wanted: Frame) -> float:
    error = np.square(found.y.astype(float) - wanted.y).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.webm"])
@pytest.mark.parametrize(("height", "width"), [(48, 64), (49, 63)])
def test_times_and_facts_are_kept(name: str, height: int, width: int, tmp_path: Path) -> None:
    video = make_video(6, height, width, facts=FACTS, ticks=TICKS)
    back, lost = with_losses(video, tmp_path / name)
    assert (back.height, back.width) == (height, width)
    found = list(back)
    assert [frame.time for frame in found] == [Fraction(tick, 1000) for tick in TICKS]
    assert (back.facts.aspect == FACTS.aspect) == (lost == ())
    assert lost == () or (name != "a.mp4" and lost == ("pixel aspect",))
    for fact in ("rotation", "matrix", "primaries", "transfer", "full_range"):
        assert getattr(back.facts, fact) == getattr(FACTS, fact), fact
    assert min(map(psnr, found, video)) > 40


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.webm"])
def test_a_steady_rate_and_the_length_are_kept(name: str, tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    video = make_video(31, 16, 16, facts=Facts(time_base=1 / rate, rate=rate))
    back = written(video, tmp_path / name)
    assert back.facts.rate == rate
    assert back.duration == pytest.approx(float(31 / rate), abs=1e-3)


def test_y4m_is_exact(tmp_path: Path) -> None:
    video = make_video(4, 5, 7)
    back = written(video, tmp_path / "a.y4m")
    for found, wanted in zip(back, video, strict=True):
        assert all(np.array_equal(getattr(found, p), getattr(wanted, p)) for p in "yuv")


def test_numbered_pictures_are_turned(tmp_path: Path) -> None:
    video = make_video(3, 5, 8, facts=FACTS, ticks=[0, 1, 2])
    path = tmp_path / "frames" / "%03d.png"
    with open_writer(path, height=5, width=8, facts=FACTS, first=100, step=30) as writer:
        assert writer.lost == ("pixel aspect",)
        for frame in video:
            writer.write(frame)
        writer.write_audio([Packet(0, b"heard", 0, 1)])
        assert "audio" in writer.lost
    names = sorted(os.listdir(path.parent))
    assert names == ["100.png", "130.png", "160.png"]
    first = np.moveaxis(to_rgb(next(iter(video)), FACTS), 0, -1)
    assert np.array_equal(np.asarray(Image.open(path.parent / "100.png")), np.rot90(first, 1))


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "aac"), ("a.mkv", "pcm_s16le"), ("a.mp4", "aac"), ("a.webm", "libopus")],
)
def test_audio_is_put_back_as_it_was(name: str, codec: str, tmp_path: Path) -> None:
    frames = []
    for number, frame in enumerate(make_video(6)):
        frames.append(frame_to(frame))
        frames[-1].pts, frames[-1].time_base = number, Fraction(1, 10)
    video = read_video(io.BytesIO(container_of(frames, audio=codec)))
    assert video.audio is not None
    packets = []
    path = tmp_path / name
    with open_writer(
        path, height=48, width=64, facts=video.facts, tracks=video.audio.tracks
    ) as writer:
        for frame in video:
            writer.write(frame)
            packets += (some := video.audio.take())
            writer.write_audio(some)
    back = open_video_file(str(path))
    list(back)
    assert back.audio is not None
    again = back.audio.take()
    assert [packet.data for packet in again] == [packet.data for packet in packets]
    base, before = back.audio.tracks[0].time_base, video.audio.tracks[0].time_base
    off = [a.time * base - b.time * before for a, b in zip(again, packets, strict=True)]
    assert max(map(abs, off)) <= Fraction(1, 1000)


def test_a_container_that_cannot_hold_the_audio_says_so(tmp_path: Path) -> None:
    frames = [frame_to(next(iter(make_video(1))))]
    frames[0].pts, frames[0].time_base = 0, Fraction(1, 10)
    video = read_video(io.BytesIO(container_of(frames, audio="pcm_s16le")))
    assert video.audio is not None
    with (
        pytest.raises(InputError, match=r"webm holds no audio of the codec pcm_s16le: write \.mkv"),
        open_writer(
            tmp_path / "a.webm", height=48, width=64, facts=FACTS, tracks=video.audio.tracks
        ),
    ):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a.mkv", "a.y4m"])
def test_what_fails_leaves_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"older")
    video = make_video(3)

    def fail() -> None:
        with open_writer(path, height=48, width=64, facts=video.facts) as writer:
            writer.write(next(iter(video)))
            raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        fail()
    assert os.listdir(tmp_path) == [name]
    assert path.read_bytes() == b"older"


def test_other_names_are_refused() -> None:
    with pytest.raises(InputError, match=r"written as \.mkv, \.mp4, \.webm, \.y4m or %06d\.png"):
        format_of("a.txt")
    with pytest.raises(InputError, match=r"got a\.png"):
        format_of("a.png")


def test_without_pyav_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(
        MissingDependencyError, match=r"to read it needs av: pip install 'vqcodec\[video\]'"
    ):
        import_av("read it")


@pytest.mark.parametrize("format", ["matroska", "mp4", "avi", "mpegts", "flv", "webm", "mpeg"])
def test_videos_are_known_by_their_first_bytes(format: str) -> None:
    frame = frame_to(next(iter(make_video(1))))
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    codec = {"mpeg": "mpeg2video", "webm": "libvpx-vp9"}.get(format, "libx264")
    data = container_of([frame], format=format, codec=codec, time_base=Fraction(1, 25))
    assert looks_like_video(data[:64])


@pytest.mark.parametrize(
    "head", [b"GIF89a", b"GATTACA", b"RIFF1234WEBP", b"RIFF1234WAVE", b"OggS", b""]
)
def test_others_are_not(head: bytes) -> None:
    assert not looks_like_video(head)


def test_bare_samples_are_heard_from_mp4(tmp_path: Path) -> None:
    """Matroska counts their channels, MP4 names them."""
    frame = frame_to(next(iter(make_video(1))))
    frame.pts, frame.time_base = 0, Fraction(1, 10)
    video = read_video(io.BytesIO(container_of([frame], audio="pcm_s16le")))
    assert video.audio is not None
    path = tmp_path / "a.mp4"
    with open_writer(
        path, height=48, width=64, facts=video.facts, tracks=video.audio.tracks
    ) as writer:
        writer.write(next(iter(video)))
        writer.write_audio(packets := video.audio.take())
    back = open_video_file(str(path))
    list(back)
    assert back.audio is not None
    found = b"".join(packet.data for packet in back.audio.take())
    assert found == b"".join(packet.data for packet in packets)
