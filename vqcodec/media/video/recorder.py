"""Frames to the bytes of a stream as they come, group after group, in little memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from fractions import Fraction
from typing import Self

import numpy as np

from vqcodec.bitstream import PRIORS, Chunk, Header, OpenWriter
from vqcodec.choices import check_real, check_whole
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.media.video.audio import Packet, Track, pack_packets, pack_tracks
from vqcodec.media.video.colour import to_rgb
from vqcodec.media.video.deciding import LOOK_AHEAD
from vqcodec.media.video.facts import pack_facts
from vqcodec.media.video.group import MOST_FRAMES
from vqcodec.media.video.group_encoder import GroupEncoder, Seen, is_cut, see
from vqcodec.media.video.letters import FACTS, NUMBER, TRACKS
from vqcodec.media.video.model import VideoModel
from vqcodec.media.video.rate import RateControl
from vqcodec.media.video.signal import Facts, Frame
from vqcodec.workers import at_once, checked_threads, side_by_side

__all__ = ["MOST_SECONDS", "Recorder"]

MOST_SECONDS = 3600.0
# Frames that are held of groups which are coded later, in bytes; longer groups are coded as they
# come.
_MOST_HELD = 2**28
_MOST_WORKERS = 8
# What a group takes in the index, and that around its entries, about.
_INDEX_ENTRY, _INDEX_FRAME = 4, 20


class Recorder:
    """Takes frames and gives bytes to `write`, whole groups at a time; use as a context manager.

    With several threads groups are coded side by side, and the frames of some are held.

    Args:
        write: takes bytes, such as the method of a file.
        height, width, facts, tracks: of the video.
        quality: 0 to 100. kbps: instead, kilobits a second over the whole.
        keyframe_seconds: the longest group; one begins at each cut as well.
        effort: 1 (fast) to 9 (good).
        threads: at most so many; None for as many as torch has.

    Attributes:
        frames, groups, size: how many were written, and how many bytes.

    Raises:
        InputError: a number out of range.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        model: VideoModel,
        *,
        height: int,
        width: int,
        facts: Facts,
        tracks: Sequence[Track] = (),
        quality: float = 50.0,
        kbps: float | None = None,
        keyframe_seconds: float = 2.0,
        effort: int = 5,
        threads: int | None = None,
    ) -> None:
        check_real("quality", quality, "0 to 100", low=0, high=100)
        check_real("keyframe_seconds", keyframe_seconds, "0 to 3600", low=0, high=MOST_SECONDS)
        check_whole("effort", effort, 1, 9)
        if kbps is not None:
            check_real("kbps", kbps, "at least 0.1", low=0.1, high=1e7)
        self._write, self._model, self._facts = write, model, facts
        self._extent, self._quality, self._effort = (height, width), quality, effort
        self._rate = None if kbps is None else RateControl(kbps=kbps)
        self._longest = Fraction(keyframe_seconds).limit_denominator(10**6) / facts.time_base
        on_cpu = model.pictures.device.type == "cpu"
        jobs = min(checked_threads(threads), _MOST_WORKERS) if on_cpu else 1
        self._stack = ExitStack()
        self._submit, self._workers = self._stack.enter_context(side_by_side(threads, jobs=jobs))
        # Frames that are looked at, those whose turn it is not yet, those of a group that is coded
        # later, and groups that are being coded.
        self._looked: deque[tuple[Future[Seen], Sequence[Packet]]] = deque()
        self._waiting: deque[tuple[Seen, bool, Sequence[Packet]]] = deque()
        self._held: list[Seen] = []
        self._begun: deque[tuple[Future[bytes], int]] = deque()
        self._group: GroupEncoder | None = None
        self._packets: list[Packet] = []
        self._last: Seen | None = None
        self._newest: tuple[Frame, Future[Seen]] | None = None
        self._ticks, self._key_ticks, self._since_key, self._first = -1, 0, 0, 0
        self.frames = self.groups = self.size = 0
        header = Header(
            medium=NUMBER,
            extent=(height, width),
            channels=3,
            stages=model.stages,
            prior=PRIORS.index("mixing"),
            fingerprint=bytes.fromhex(model.card.fingerprint),
            regions=0,
        )
        self._writer = OpenWriter(header)
        chunks = [Chunk(FACTS, pack_facts(facts))]
        if tracks:
            chunks.append(Chunk(TRACKS, pack_tracks(tracks)))
        self._put(self._writer.begin(chunks))
        if self._rate is not None:
            self._rate.end(self.size + _INDEX_FRAME)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the threads go; what is not written is lost."""
        self._stack.close()

    @kernels_refuse()
    def add(self, frame: Frame, packets: Sequence[Packet] = ()) -> None:
        """Take the next frame, and packets of audio that came before it."""
        if frame.extent != self._extent:
            raise InputError(f"a frame is {self._extent}, got {frame.extent}")
        ticks = self._facts.ticks(frame.time)
        if ticks <= self._ticks:
            raise InputError(f"a frame at {frame.time} s is not shown after the one before")
        self._ticks = ticks
        self._looked.append((self._look(frame, ticks), packets))
        # As many as keep all workers busy.
        while len(self._looked) > (2 * self._workers if self._workers > 1 else 0):
            self._decide()

    @kernels_refuse()
    def end(self, packets: Sequence[Packet] = ()) -> None:
        """Write what is left, and the index. Raises: InputError if there was no frame."""
        if self._ticks < 0:
            raise InputError("the video is empty: it has no frame")
        while self._looked:
            self._decide()
        while self._waiting:
            self._advance()
        self._packets += packets
        self._end_group(is_last=True)
        self._flush(0)
        self._put(self._writer.end())
        self.close()

    def _look(self, frame: Frame, ticks: int) -> Future[Seen]:
        if self._newest is not None and _is_same(frame, self._newest[0]):
            job = self._submit(_again, self._newest[1], ticks)
        else:
            job = self._submit(self._see, frame, ticks)
        self._newest = frame, job
        return job

    def _see(self, frame: Frame, ticks: int) -> Seen:
        return see(self._model.pictures, to_rgb(frame, self._facts), ticks)

    def _decide(self) -> None:
        """Whether the first of the frames that were looked at begins a group."""
        looked, packets = self._looked.popleft()
        seen = looked.result()
        is_key = self._begins_group(seen)
        if is_key:
            self._key_ticks, self._since_key = seen.ticks, 0
        self._since_key += 1
        self._last = seen
        self._waiting.append((seen, is_key, packets))
        while len(self._waiting) > LOOK_AHEAD:
            self._advance()

    def _begins_group(self, seen: Seen) -> bool:
        if self._last is None or self._since_key >= MOST_FRAMES:
            return True
        return seen.ticks - self._key_ticks >= self._longest or is_cut(self._last, seen)

    def _advance(self) -> None:
        """Code the first of the frames that wait, or hold it."""
        seen, is_key, packets = self._waiting.popleft()
        if is_key and (self._group is not None or self._held):
            self._end_group()
        self._packets += packets
        if (self._rate is not None or self._workers > 1) and (is_key or self._held):
            self._held.append(seen)
            size = seen.luma.nbytes + 4 * seen.latent.numel()
            groups = 1 if self._workers == 1 else self._workers + 2
            if size * len(self._held) * groups > _MOST_HELD:
                self._let_go()
        elif is_key:
            self._group = self._new_group(seen, self._quality)
        else:
            assert self._group is not None
            following = []
            for later, is_next, _ in self._waiting:
                if is_next:
                    break
                following.append(later)
            self._group.add(seen, following)

    def _let_go(self) -> None:
        """Code the frames that are held; those that follow in the group are coded as they come."""
        quality = self._quality
        if self._rate is not None:
            self._rate.begin(seconds=float(self._longest * self._facts.time_base))
            quality = self._rate.quality
        self._group, self._held = self._coded(self._held, quality), []

    def _new_group(self, key: Seen, quality: float) -> GroupEncoder:
        return GroupEncoder(self._model, *self._extent, key, quality=quality, effort=self._effort)

    def _coded(self, held: Sequence[Seen], quality: float) -> GroupEncoder:
        group = self._new_group(held[0], quality)
        for number, seen in enumerate(held[1:], 1):
            group.add(seen, held[number + 1 : number + 1 + LOOK_AHEAD])
        return group

    def _payload(self, held: Sequence[Seen], quality: float, first: int, audio: bytes) -> bytes:
        return self._coded(held, quality).finish(first, self._facts, audio)

    def _end_group(self, *, is_last: bool = False) -> None:
        audio = pack_packets(self._packets) if self._packets else b""
        held, count = self._held, len(self._held)
        if self._group is not None:
            count = self._group.frames
            self._begin(at_once(self._group.finish, self._first, self._facts, audio), count)
        elif self._rate is not None:
            self._begin(at_once(self._at_rate, audio, is_last), count)
        else:
            job = self._submit(self._payload, held, self._quality, self._first, audio)
            self._begin(job, count)
        self._group, self._held, self._packets = None, [], []

    def _at_rate(self, audio: bytes, is_last: bool) -> bytes:
        """The payload of the group that is held, at the quality that the rate asks for."""
        assert self._rate is not None
        held, tries = self._held, []
        apart = held[-1].ticks - held[0].ticks
        lasts = self._facts.lasts(apart, len(held)) + apart * self._facts.time_base
        self._rate.begin(seconds=float(lasts), last=is_last)
        while True:
            job = self._submit(self._payload, held, self._rate.quality, self._first, audio)
            tries.append(job.result())
            if self._rate.is_near(len(tries[-1])):
                return self._rate.best(tries)

    def _begin(self, payload: Future[bytes], count: int) -> None:
        """Take the next group, which is written once those before it are."""
        self._begun.append((payload, count))
        self._first += count
        self._flush(0 if self._workers == 1 or self._rate is not None else self._workers)

    def _flush(self, left: int) -> None:
        """Write groups until so many are left."""
        while len(self._begun) > left:
            payload, count = self._begun.popleft()
            before = self.size
            self._put(self._writer.add(payload.result(), count))
            self.frames, self.groups = self.frames + count, self.groups + 1
            if self._rate is not None:
                self._rate.end(self.size - before + _INDEX_ENTRY)

    def _put(self, data: bytes) -> None:
        self._write(data)
        self.size += len(data)


def _is_same(one: Frame, other: Frame) -> bool:
    planes = zip((one.y, one.u, one.v), (other.y, other.u, other.v), strict=True)
    return all(np.array_equal(a, b) for a, b in planes)


def _again(before: Future[Seen], ticks: int) -> Seen:
    """A frame that is the one before once more: that began to be looked at earlier."""
    seen = before.result()
    return Seen(ticks, seen.luma, seen.latent)
