"""YUV4MPEG2: what is written is read, and whatever else comes is refused by name."""

from __future__ import annotations

import contextlib
import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, LimitError
from vqcodec.media.video.signal import Facts, Frame
from vqcodec.media.video.y4m import Y4mWriter, is_y4m, open_y4m, read_y4m

GREY = np.full((1, 1), 128, np.uint8)


def random_frames(count: int, height: int, width: int, rate: Fraction) -> list[Frame]:
    draw = np.random.default_rng(height * 1000 + width)
    half = ((height + 1) // 2, (width + 1) // 2)
    frames = []
    for number in range(count):
        y, u, v = (draw.integers(0, 256, size, np.uint8) for size in ((height, width), half, half))
        frames.append(Frame(y, u, v, number / rate))
    return frames


def written(frames: list[Frame], facts: Facts) -> bytes:
    file = io.BytesIO()
    writer = Y4mWriter(file, facts)
    for frame in frames:
        writer.write(frame)
    return file.getvalue()


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._file.readinto(buffer[:7])


rates = st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=1001)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 4),
    height=st.integers(1, 19),
    width=st.integers(1, 19),
    rate=rates,
    aspect=st.fractions(min_value=Fraction(1, 9), max_value=9, max_denominator=100),
    full=st.booleans(),
    siting=st.integers(0, 2),
)
def test_what_is_written_is_read(
    count: int, height: int, width: int, rate: Fraction, aspect: Fraction, full: bool, siting: int
) -> None:
    facts = Facts(time_base=1 / rate, rate=rate, aspect=aspect, full_range=full, siting=siting)
    frames = random_frames(count, height, width, rate)
    video = read_y4m(io.BufferedReader(Trickle(written(frames, facts))))
    assert (video.facts, video.height, video.width, video.remarks) == (facts, height, width, ())
    found = list(video)
    assert len(found) == count
    for frame, wanted in zip(found, frames, strict=True):
        assert frame.time == wanted.time
        for name in "yuv":
            assert np.array_equal(getattr(frame, name), getattr(wanted, name))


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300)
    | st.text("0123456789:WHFIAC x420jpegmono\nFRAME", max_size=80).map(str.encode)
)
def test_no_other_error_than_a_named_one(rest: bytes) -> None:
    for data in (rest, b"YUV4MPEG2 " + rest, b"YUV4MPEG2 W3 H2 F5:1 Cmono\n" + rest):
        with contextlib.suppress(InputError, LimitError):
            for frame in read_y4m(io.BytesIO(data), Limits(max_samples=4096)):
                assert frame.y.size <= 4096


def test_a_cut_file_says_where() -> None:
    rate = Fraction(10)
    whole = written(random_frames(2, 3, 4, rate), Facts(time_base=1 / rate, rate=rate))
    head = whole.index(b"\n") + 1
    size = (len(whole) - head) // 2
    for end in range(len(whole)):
        cut = io.BytesIO(whole[:end])
        if end in (head + size,):
            assert len(list(read_y4m(cut))) == 1
            continue
        with pytest.raises(InputError, match=r"cut off|no YUV4MPEG2|no frame"):
            list(read_y4m(cut))


def test_a_file_is_read_as_often_as_one_likes(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    path = tmp_path / "clip.y4m"
    path.write_bytes(written(random_frames(3, 5, 7, rate), Facts(time_base=1 / rate, rate=rate)))
    video = open_y4m(str(path))
    assert not video.drawn_once
    assert [frame.time for frame in video] == [frame.time for frame in video]
    with path.open("rb") as file:
        assert read_y4m(file).drawn_once


def chroma(layout: str, planes: bytes) -> tuple[list[int], list[int]]:
    head = f"YUV4MPEG2 W2 H2 F1:1 C{layout}\nFRAME\n".encode()
    (frame,) = read_y4m(io.BytesIO(head + bytes(4) + planes))
    return frame.u.ravel().tolist(), frame.v.ravel().tolist()


def test_other_layouts_become_halves() -> None:
    # Rows by (-1, 3, 3, -1) / 4, columns by (-1, 2, 6, 2, -1) / 8, borders repeated.
    assert chroma("422", bytes([10, 13, 20, 40])) == ([12], [30])
    assert chroma("444", bytes([10, 20, 30, 40, 0, 0, 0, 8])) == ([21], [1])
    assert chroma("mono", b"") == ([128], [128])
    video = read_y4m(io.BytesIO(b"YUV4MPEG2 W2 H2 F1:1 C444\n"))
    assert video.remarks == ("chroma of 4:4:4 became 4:2:0",)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("W2 H2 F1:1 It", "the video is interlaced .It.: deinterlace it first"),
        ("W2 H2 F1:1 Im", "interlaced"),
        ("W2 H2 F1:1 C420p10", "layout '420p10' are not read"),
        ("W2 H2 F1:1 C444alpha", "layout '444alpha' are not read"),
        ("H2 F1:1", "a side of the video must be 1 to 16384 pixels, YUV4MPEG2 says ''"),
        ("W-2 H2", "says '-2'"),
        ("W0 H2", "says '0'"),
        ("W99999999999999999999 H2", "a side"),
        ("W2 H2 F1:x", "F'1:x' of YUV4MPEG2 is no fraction"),
        ("W2 H2 F9999999999:1", "32-bit numbers"),
    ],
)
def test_what_is_not_read_is_named(head: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_y4m(io.BytesIO(f"YUV4MPEG2 {head}\n".encode()))


def test_a_large_frame_is_refused_before_it_is_read() -> None:
    with pytest.raises(LimitError, match="a frame has 268435456 samples, more than the limit of 9"):
        read_y4m(io.BytesIO(b"YUV4MPEG2 W16384 H16384 F1:1\n"), Limits(max_samples=9))


def test_between_frames_stands_nothing() -> None:
    data = b"YUV4MPEG2 W1 H1 F1:1 Cmono\nFRAME Xwords of its own\na" + b"FRAMES\nb"
    with pytest.raises(InputError, match="cut off: frame 1 begins with b'FRAMES"):
        list(read_y4m(io.BytesIO(data)))


def test_facts_that_are_lost_are_said() -> None:
    facts = Facts(time_base=Fraction(1, 1000), rotation=90, matrix=1, siting=4)
    writer = Y4mWriter(file := io.BytesIO(), facts, mean_rate=Fraction(25, 2))
    writer.write(Frame(GREY, GREY, GREY, Fraction(0)))
    assert is_y4m(file.getvalue())
    assert b" F25:2 " in file.getvalue()
    assert writer.lost == (
        *("times of frames", "rotation by 90 degrees", "colour matrix", "where chroma lies"),
    )


def test_times_that_are_not_steady_are_lost() -> None:
    facts = Facts(time_base=Fraction(1, 1000), rate=Fraction(30))
    for ticks, lost in (([500, 533, 567], ()), ([0, 33, 68], ("times of frames",))):
        writer = Y4mWriter(io.BytesIO(), facts)
        for tick in ticks:
            writer.write(Frame(GREY, GREY, GREY, Fraction(tick, 1000)))
        assert writer.lost == lost


def test_a_file_without_a_rate_gets_the_usual_one() -> None:
    video = read_y4m(io.BytesIO(b"YUV4MPEG2 W1 H1 F0:0 A0:0\n"))
    assert (video.facts.rate, video.facts.aspect) == (Fraction(25), Fraction(1))
    assert video.remarks == ("the file says no frame rate, 25 a second are taken",)
