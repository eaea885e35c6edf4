"""Videos to streams and back: frames, times, random access, cut, damaged and hostile streams."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec import VideoEncoder, inspect, open_video
from vqcodec.errors import CorruptError, FormatError, InputError, TruncatedError, UnknownModelError
from vqcodec.media.registry import read_any_stream
from vqcodec.media.video.colour import to_rgb
from vqcodec.media.video.group import pack_group
from vqcodec.media.video.group_decoder import decode_codes
from vqcodec.media.video.model import VideoModel, load_video_model
from vqcodec.media.video.signal import Facts, Frame

HEIGHT, WIDTH = 51, 70
RATE = Fraction(10)


@pytest.fixture(scope="module")
def model() -> VideoModel:
    return load_video_model("video", device="cpu")


def moving_square(count: int, *, cut: int | None = None) -> list[NDArray[np.uint8]]:
    """A square that crosses a textured room; from `cut` on another room."""
    rng = np.random.default_rng(5)
    rooms = [
        np.kron(rng.integers(60, 190, (8, 10, 1)), np.ones((7, 7, 3))).astype(np.uint8)
        for _ in range(2)
    ]
    frames = []
    for number in range(count):
        room = rooms[0 if cut is None or number < cut else 1][:HEIGHT, :WIDTH].copy()
        room[20:36, 3 + 2 * number : 19 + 2 * number] = (240, 220, 200)
        frames.append(room)
    return frames


def encoded(frames: list[NDArray[np.uint8]], model: VideoModel, **options: object) -> bytes:
    buffer = io.BytesIO()
    options = {"rate": RATE, "keyframe_seconds": 0.8} | options
    with VideoEncoder(buffer, height=HEIGHT, width=WIDTH, model=model, **options) as encoder:  # type: ignore[arg-type]
        for frame in frames:
            encoder.add(frame)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def stream(model: VideoModel) -> bytes:
    return encoded(moving_square(20), model)


def planes(frame: Frame) -> bytes:
    return frame.y.tobytes() + frame.u.tobytes() + frame.v.tobytes()


def test_frames_come_back_in_time_and_alike(stream: bytes, model: VideoModel) -> None:
    frames = moving_square(20)
    with open_video(stream, model=model) as video:
        assert video.extent == (20, HEIGHT, WIDTH)
        assert video.counts == (8, 8, 4)
        assert video.duration == 2
        shown = list(video)
        assert [frame.time for frame in shown] == [n / RATE for n in range(20)]
        for frame, original in zip(shown, frames, strict=True):
            found = to_rgb(frame, video.facts).transpose(1, 2, 0).astype(float)
            assert np.square(found - original).mean() < 200


def test_the_same_frames_give_the_same_bytes(stream: bytes, model: VideoModel) -> None:
    assert encoded(moving_square(20), model) == stream
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        again = encoded(moving_square(20), model)
    finally:
        torch.set_num_threads(threads)
    with open_video(stream, model=model) as one, open_video(again, model=model) as other:
        # Sums of other threads may differ in their last bit, sizes may not by much.
        assert one.counts == other.counts
        assert abs(len(again) - len(stream)) < len(stream) // 10


def test_any_frame_is_what_the_whole_has_there(stream: bytes, model: VideoModel) -> None:
    with open_video(io.BytesIO(stream), model=model) as video:
        shown = [planes(frame) for frame in video]
        for number in (0, 7, 8, 13, 19, -1):
            assert planes(video[number]) == shown[number]
        assert [planes(frame) for frame in video.between(5, 18, 3)] == shown[5:18:3]
        assert planes(video.at(1.25)) == shown[12]
        assert video.number_at(1.9999) == 19


def test_threads_do_not_change_what_is_shown(stream: bytes, model: VideoModel) -> None:
    with open_video(stream, model=model, threads=1) as video:
        shown = [planes(frame) for frame in video]
    with open_video(io.BytesIO(stream), model=model, threads=2) as video:
        assert [planes(frame) for frame in video] == shown
        assert [planes(frame) for frame in video.between(3, 19, 4)] == shown[3:19:4]
        drawn = iter(video)
        assert planes(next(drawn)) == shown[0]
    with pytest.raises(InputError, match="threads"):
        next(iter(open_video(stream, model=model, threads=0)))


@pytest.mark.parametrize("part", [(5, 5, 1), (-1, 3, 1), (0, 21, 1), (0, 3, 0)])
def test_frames_that_are_not_there_are_refused(
    stream: bytes, model: VideoModel, part: tuple[int, int, int]
) -> None:
    with open_video(stream, model=model) as video:
        with pytest.raises(InputError, match="there are 20"):
            video.between(*part)
        with pytest.raises(InputError, match=r"ends at 2\.00 s"):
            video.at(2.0)
        for wrong in ("a", -1, float("nan")):
            with pytest.raises(InputError, match="a number of seconds from 0 on"):
                video.at(wrong)  # type: ignore[arg-type]
        with pytest.raises(IndexError):
            video[20]


def test_codes_are_the_same_without_the_compiled_decoder(stream: bytes, model: VideoModel) -> None:
    with open_video(stream, model=model) as video:
        group, grid = video.group(2), model.grid(HEIGHT, WIDTH)
        native = list(decode_codes(group, model, grid))
        plain = list(decode_codes(group, model, grid, backend="numpy"))
        assert len(native) == 4
        for one, other in zip(native[1:], plain[1:], strict=True):
            for part, expected in zip(one, other, strict=True):
                np.testing.assert_array_equal(part, expected)
        codes = video.codes(2)
        assert codes.first == 16
        assert codes.key.shape[1:] == grid
        assert len(codes.changes) == 3


def test_nothing_new_costs_next_to_nothing(model: VideoModel) -> None:
    still = [moving_square(1)[0]] * 8
    one, eight = encoded(still[:1], model), encoded(still, model)
    # All that is worth correcting is corrected soon.
    assert len(eight) - len(one) < 200


def test_a_frame_that_comes_again_is_not_looked_at_again(
    model: VideoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    analyse = model.pictures.analyse

    def counted(picture: torch.Tensor) -> torch.Tensor:
        looked.append(picture)
        return analyse(picture)

    frames = [moving_square(3)[n] for n in (0, 0, 1, 1, 1, 2)]
    whole = encoded(frames, model)
    monkeypatch.setattr(model.pictures, "analyse", counted)
    for threads in (1, 2):
        assert encoded(frames, model, threads=threads) == whole
        assert len(looked) == 3
        looked.clear()


def test_a_cut_begins_a_group(model: VideoModel) -> None:
    with open_video(encoded(moving_square(8, cut=5), model), model=model) as video:
        assert video.counts == (5, 3)


def test_times_may_vary(model: VideoModel) -> None:
    facts = Facts(time_base=Fraction(1, 1000))
    times = [Fraction(t, 1000) for t in (0, 31, 200, 203, 1999)]
    buffer, grey = io.BytesIO(), np.full((26, 35), 128, np.uint8)
    with VideoEncoder(
        buffer, height=HEIGHT, width=WIDTH, facts=facts, model=model, keyframe_seconds=10
    ) as encoder:
        for number, time in enumerate(times):
            luma = np.full((HEIGHT, WIDTH), 20 + 40 * number, np.uint8)
            encoder.add(Frame(luma, grey, grey, time))
    with open_video(buffer.getvalue(), model=model) as video:
        assert [frame.time for frame in video] == times
        assert video.facts == facts


def test_a_rate_is_kept(model: VideoModel) -> None:
    frames = moving_square(20)
    for kbps in (8.0, 20.0):
        size = 8 * len(encoded(frames, model, kbps=kbps)) / 1000 / 2
        assert 0.85 * kbps < size <= kbps


def test_a_rate_holds_over_one_group(model: VideoModel) -> None:
    size = 8 * len(encoded(moving_square(8), model, kbps=15.0)) / 1000 / 0.8
    assert 0.85 * 15 < size <= 15


@pytest.mark.parametrize("options", [{}, {"kbps": 12.0}, {"keyframe_seconds": 0.1}])
def test_threads_do_not_change_what_is_written(
    model: VideoModel, options: dict[str, float]
) -> None:
    frames = moving_square(20)
    assert encoded(frames, model, threads=2, **options) == encoded(
        frames, model, threads=1, **options
    )


def test_a_frame_alone_without_a_rate_lasts_a_second(model: VideoModel) -> None:
    buffer, grey = io.BytesIO(), np.full((26, 35), 128, np.uint8)
    facts = Facts(time_base=Fraction(1, 1000))
    with VideoEncoder(buffer, height=HEIGHT, width=WIDTH, facts=facts, model=model) as encoder:
        encoder.add(Frame(np.full((HEIGHT, WIDTH), 90, np.uint8), grey, grey, Fraction(0)))
    with open_video(buffer.getvalue(), model=model) as video:
        assert video.duration == 1
        assert video.number_at(0.5) == 0
    assert inspect(buffer.getvalue()).facts["seconds"] == 1.0


def test_quality_goes_with_size(model: VideoModel) -> None:
    sizes = [len(encoded(moving_square(6), model, quality=q)) for q in (0, 30, 60, 90, 100)]
    assert sizes == sorted(sizes)


def test_quality_goes_with_what_is_shown(model: VideoModel) -> None:
    """Up to the top, where vectors of changes must still reach what moves."""
    frames, errors = moving_square(8), []
    for quality in (20, 50, 80, 100):
        with open_video(encoded(frames, model, quality=quality), model=model) as video:
            shown = [to_rgb(frame, video.facts).transpose(1, 2, 0) for frame in video]
        errors.append(np.square(np.stack(shown).astype(float) - np.stack(frames)).mean())
    assert errors == sorted(errors, reverse=True)


def test_a_cut_recording_plays_up_to_its_last_whole_group(stream: bytes, model: VideoModel) -> None:
    with open_video(stream, model=model) as video:
        shown = [planes(frame) for frame in video]
    data = stream[: len(stream) - 60]
    with pytest.raises(TruncatedError, match="was cut"):
        open_video(data)
    with open_video(data, model=model, partial=True) as video:
        assert not video.is_whole
        assert video.counts == (8, 8)
        assert [planes(frame) for frame in video] == shown[:16]


@pytest.mark.parametrize("threads", [1, 2])
def test_damage_is_named_and_passed_over(stream: bytes, model: VideoModel, threads: int) -> None:
    with open_video(stream) as video:
        starts = video._stream.starts
    data = bytearray(stream)
    data[starts[1] + 30] ^= 4
    with open_video(bytes(data), model=model, threads=threads) as video:
        drawn = iter(video)
        for _ in range(8):
            next(drawn)
        with pytest.raises(FormatError, match="code chunk 1"):
            next(drawn)
    with open_video(bytes(data), model=model) as video:
        # What the damaged group is not needed for plays, up to the last moment before it.
        assert [video.number_at(t) for t in (0, 0.75, 0.79, 1.6, 1.99)] == [0, 7, 7, 16, 19]
        with pytest.raises(FormatError, match="code chunk 1"):
            video.number_at(0.8)
        assert [video[n].time for n in (7, 16)] == [Fraction(7, 10), Fraction(16, 10)]
    with open_video(bytes(data), model=model, partial=True) as video:
        assert not video.is_whole
        assert video.counts == (8, 4)
        times = [frame.time for frame in video]
        assert times == [n / RATE for n in (*range(8), *range(16, 20))]
        assert (video.number_at(1.2), video.number_at(1.75)) == (7, 9)
    with pytest.raises(FormatError):
        read_any_stream(bytes(data))
    _, left = read_any_stream(bytes(data), partial=True)
    assert left.numbers == (0, 2)  # type: ignore[attr-defined]


def test_hostile_groups_are_refused(stream: bytes, model: VideoModel) -> None:
    """Whatever a group declares is looked at before memory is taken for it."""
    with open_video(stream, model=model) as video:
        group = video.group(0)
    from dataclasses import replace

    from vqcodec.media.video.group import unpack_group

    grid = model.grid(HEIGHT, WIDTH)
    for wrong in (
        replace(group, stages=0),
        replace(group, stages=65),
        replace(group, key=(b"",)),
        replace(group, changes=b""),
        replace(group, changes=group.changes + b"\x01"),
        replace(group, count=60000),
        replace(group, count=7),
    ):
        read = unpack_group(pack_group(wrong), regions=1)
        with pytest.raises(CorruptError):
            for _ in decode_codes(read, model, grid):
                pass
    for payload in (b"", b"\x00\x00", b"\x00\xff\xff\x7f", pack_group(group)[:20]):
        with pytest.raises(CorruptError):
            unpack_group(payload, regions=1)


def test_another_model_is_refused(stream: bytes, model: VideoModel) -> None:
    changed = bytearray(stream)
    from vqcodec.bitstream import Chunk, OpenWriter, open_stream

    opened = open_stream(bytes(changed), letters="Fa")
    from dataclasses import replace

    writer = OpenWriter(replace(opened.header, fingerprint=bytes(8)))
    data = writer.begin([Chunk(c.type, c.payload) for c in opened.side_chunks])
    data += writer.add(opened.codes_of(0), 8) + writer.end()
    with open_video(data, model=model) as video, pytest.raises(UnknownModelError, match="0000"):
        video[0]


def test_bad_frames_and_numbers_are_refused(model: VideoModel) -> None:
    sizes = {"height": HEIGHT, "width": WIDTH, "model": model}
    with pytest.raises(InputError, match="rate or facts"):
        VideoEncoder(io.BytesIO(), **sizes)  # type: ignore[arg-type]
    for wrong in ({"quality": 101}, {"keyframe_seconds": -1.0}, {"effort": 0}, {"kbps": 0}):
        with pytest.raises(InputError, match="got"):
            VideoEncoder(io.BytesIO(), rate=25, **(sizes | wrong))  # type: ignore[arg-type]
    encoder = VideoEncoder(io.BytesIO(), rate=25, **sizes)  # type: ignore[arg-type]
    for frame in (
        np.zeros((HEIGHT, WIDTH), np.uint8),
        np.zeros((HEIGHT, WIDTH, 3), np.float32),
        np.zeros((HEIGHT + 1, WIDTH, 3), np.uint8),
    ):
        with pytest.raises(InputError, match="got"):
            encoder.add(frame)
    with pytest.raises(InputError, match="empty"):
        encoder.close()


def test_a_closed_video_is_refused_by_name(
    tmp_path: Path, stream: bytes, model: VideoModel
) -> None:
    path = tmp_path / "clip.vqc"
    path.write_bytes(stream)
    for source in (path, stream):
        with open_video(source, model=model) as video:
            assert video[0].extent == (HEIGHT, WIDTH)
        for ask in (lambda v: v[0], lambda v: v.codes(0), lambda v: list(v)):
            with pytest.raises(InputError, match="the video is closed"):
                ask(video)


def test_an_encoder_that_fails_leaves_no_file(tmp_path, model: VideoModel) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "clip.vqc"
    encoder = VideoEncoder(path, height=HEIGHT, width=WIDTH, rate=5, model=model)
    with pytest.raises(InputError, match="got"), encoder:
        encoder.add(np.zeros((HEIGHT, WIDTH + 1, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
