"""Streams that no encoder writes: refused by name, before memory or time is taken for them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vqcodec import VideoEncoder, inspect, open_video
from vqcodec.bitstream import Chunk, Header, OpenStream, OpenWriter, open_stream
from vqcodec.errors import CorruptError, InputError
from vqcodec.media.video.coder import CODER
from vqcodec.media.video.facts import pack_facts, pack_times
from vqcodec.media.video.group import Group, pack_group, unpack_group
from vqcodec.media.video.letters import FACTS, LETTERS
from vqcodec.media.video.signal import Facts

HEIGHT, WIDTH = 32, 48


def encoded(count: int = 12) -> bytes:
    buffer = io.BytesIO()
    with VideoEncoder(
        buffer, height=HEIGHT, width=WIDTH, rate=10, keyframe_seconds=0.4, device="cpu"
    ) as encoder:
        for number in range(count):
            encoder.add(np.full((HEIGHT, WIDTH, 3), 20 + number, np.uint8))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def stream() -> OpenStream:
    return open_stream(encoded(), letters=LETTERS)


@pytest.fixture(scope="module")
def groups(stream: OpenStream) -> list[Group]:
    return [unpack_group(stream.codes_of(n), regions=1) for n in range(len(stream))]


def written(
    stream: OpenStream,
    groups: Sequence[Group],
    *,
    header: Header | None = None,
    facts: Facts | None = None,
    amounts: Sequence[int] | None = None,
    end: bool = True,
) -> bytes:
    """A stream of such groups, its checksums right."""
    writer = OpenWriter(stream.header if header is None else header)
    side = stream.side_chunks if facts is None else [Chunk(FACTS, pack_facts(facts))]
    out = writer.begin(side)
    for number, group in enumerate(groups):
        out += writer.add(pack_group(group), group.count if amounts is None else amounts[number])
    return out + writer.end() if end else out


def test_an_index_that_lies_is_refused(stream: OpenStream, groups: list[Group]) -> None:
    with pytest.raises(CorruptError, match="a group of 4294967284 frames, 65536 at most"):
        open_video(written(stream, groups, amounts=(2**32 - 12, 4, 4)))
    with open_video(written(stream, groups, amounts=(4, 65536, 4))) as video:
        assert len(list(video.between(0, 4, 2))) == 2
        with pytest.raises(CorruptError, match=r"group 1 says .*, the index 4 to 65540"):
            next(video.between(5, 60000))


def test_groups_that_come_twice_are_refused(stream: OpenStream, groups: list[Group]) -> None:
    with pytest.raises(CorruptError, match="group 1 begins with frame 0, 4 came before it"):
        open_video(written(stream, [groups[0], groups[0]], end=False), partial=True)


@pytest.mark.parametrize("extent", [(2**28, 1), (1, 16385)])
def test_sides_that_no_video_has_are_refused(
    stream: OpenStream, groups: list[Group], extent: tuple[int, int]
) -> None:
    data = written(stream, groups, header=replace(stream.header, extent=extent))
    with pytest.raises(CorruptError, match="sides are 16384 at most"):
        inspect(data)
    with pytest.raises(CorruptError, match="sides are 16384 at most"):
        open_video(data)


VARYING = Facts(time_base=Fraction(1, 1000))
COARSE = Facts(time_base=Fraction(1), rate=Fraction(10))


def timed(group: Group, ticks: list[int], facts: Facts) -> Group:
    return replace(group, count=len(ticks), times=pack_times(ticks, group.first, facts))


@pytest.mark.parametrize("second", [[0, 100, 200, 300], [300, 400, 500, 600]])
def test_times_that_do_not_rise_are_refused(
    stream: OpenStream, groups: list[Group], second: list[int]
) -> None:
    pair = [
        timed(groups[0], [0, 100, 200, 300], VARYING),
        timed(groups[1], second, VARYING),
    ]
    data = written(stream, pair, facts=VARYING)
    with pytest.raises(CorruptError, match="group 1 is not shown after the one before"):
        inspect(data)
    with open_video(data) as video:
        drawn = iter(video)
        for _ in range(4):
            next(drawn)
        with pytest.raises(CorruptError, match="group 1 is not shown after the one before"):
            next(drawn)


@pytest.mark.parametrize("begin", [0, 900])
def test_an_end_before_the_beginning_is_refused(
    stream: OpenStream, groups: list[Group], begin: int
) -> None:
    ticks = [begin, begin + 1, begin + 2, begin + 3]
    pair = [timed(groups[0], ticks, VARYING), timed(groups[1], [0], VARYING)]
    data = written(stream, pair, facts=VARYING)
    with open_video(data) as video, pytest.raises(CorruptError, match="not shown after the first"):
        video.at(0.1)


def test_audio_without_a_track_is_refused(stream: OpenStream, groups: list[Group]) -> None:
    data = written(stream, [replace(groups[0], audio=b"\0"), groups[1]])
    with pytest.raises(CorruptError, match="1 bytes of audio, the video no track"):
        inspect(data)
    with open_video(data) as video:
        for draw in (lambda: next(iter(video)), lambda: video.packets(0), lambda: video.codes(0)):
            with pytest.raises(CorruptError, match="no track of it"):
                draw()


def test_times_that_stand_still_within_a_group_are_refused(
    stream: OpenStream, groups: list[Group]
) -> None:
    data = written(stream, groups, facts=COARSE)
    with pytest.raises(CorruptError, match="time base is too long"):
        inspect(data)
    with open_video(data) as video, pytest.raises(CorruptError, match="time base is too long"):
        next(iter(video))


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (Facts(time_base=Fraction(2**32 - 1)), "time base"),
        (Facts(time_base=Fraction(1, 2**32 - 1), rate=Fraction(2**32 - 1)), "time base"),
        (Facts(time_base=Fraction(1, 10), rate=Fraction(1, 2**32 - 1)), "frame rate"),
        (Facts(time_base=Fraction(1, 10), aspect=Fraction(2**32 - 1)), "pixel aspect"),
    ],
)
def test_numbers_that_few_files_hold_are_refused_by_these(
    stream: OpenStream, groups: list[Group], tmp_path: Path, facts: Facts, name: str
) -> None:
    pytest.importorskip("av")
    group = replace(groups[0], count=1, changes=b"", times=pack_times([0], 0, facts))
    data = written(stream, [group], facts=facts)
    with open_video(data) as video:
        for end in ("mkv", "mp4", "webm"):
            with pytest.raises(InputError, match=f"the {name} .* write .y4m"):
                CODER.decode_to(video, tmp_path / f"back.{end}")
        assert list(tmp_path.iterdir()) == []
        assert CODER.decode_to(video, tmp_path / "back.y4m")["frames"] == 1
