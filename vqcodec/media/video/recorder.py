"""Frames to the bytes of a stream as they come, group after group, in little memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from fractions import Fraction

from vqcodec.bitstream import PRIORS, Chunk, Header, OpenWriter
from vqcodec.choices import check_real, check_whole
from vqcodec.errors import InputError, kernels_refuse
from vqcodec.media.video.audio import Packet, Track, pack_packets, pack_tracks
from vqcodec.media.video.colour import to_rgb
from vqcodec.media.video.deciding import LOOK_AHEAD
from vqcodec.media.video.facts import pack_facts
from vqcodec.media.video.group import MOST_FRAMES
from vqcodec.media.video.group_encoder import GroupEncoder, Seen, see
from vqcodec.media.video.letters import FACTS, NUMBER, TRACKS
from vqcodec.media.video.model import VideoModel
from vqcodec.media.video.rate import RateControl
from vqcodec.media.video.signal import Facts, Frame

__all__ = ["MOST_SECONDS", "Recorder"]

MOST_SECONDS = 3600.0
# Two frames that differ by more than this part of what they have are not of one scene.
_CUT = 0.7
# Frames that rate control holds of a group, in bytes; a longer group is coded once.
_MOST_HELD = 2**28


class Recorder:
    """Takes frames and gives bytes to `write`, whole groups at a time.

    Args:
        write: takes bytes, such as the method of a file.
        height, width, facts, tracks: of the video.
        quality: 0 to 100. kbps: instead, kilobits a second over the whole.
        keyframe_seconds: the longest group; one begins at each cut as well.
        effort: 1 (fast) to 9 (good).

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
        self._waiting: deque[tuple[Seen, bool]] = deque()
        self._last: Seen | None = None
        self._key_ticks = self._since_key = 0
        self._group: GroupEncoder | None = None
        self._held: list[Seen] = []
        self._packets: list[Packet] = []
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

    @kernels_refuse()
    def add(self, frame: Frame, packets: Sequence[Packet] = ()) -> None:
        """Take the next frame, and packets of audio that came before it."""
        if frame.extent != self._extent:
            raise InputError(f"a frame is {self._extent}, got {frame.extent}")
        seen = see(self._model.pictures, to_rgb(frame, self._facts), self._facts.ticks(frame.time))
        if self._last is not None and seen.ticks <= self._last.ticks:
            raise InputError(f"a frame at {frame.time} s is not shown after the one before")
        is_key = self._begins_group(seen)
        if is_key:
            self._key_ticks, self._since_key = seen.ticks, 0
        self._since_key += 1
        self._last = seen
        self._packets += packets
        self._waiting.append((seen, is_key))
        while len(self._waiting) > LOOK_AHEAD:
            self._advance()

    @kernels_refuse()
    def end(self, packets: Sequence[Packet] = ()) -> None:
        """Write what is left, and the index. Raises: InputError if there was no frame."""
        if self._last is None:
            raise InputError("the video is empty: it has no frame")
        self._packets += packets
        while self._waiting:
            self._advance()
        self._end_group()
        self._put(self._writer.end())

    def _begins_group(self, seen: Seen) -> bool:
        if self._last is None or self._since_key >= MOST_FRAMES:
            return True
        return seen.ticks - self._key_ticks >= self._longest or _is_cut(self._last, seen)

    def _advance(self) -> None:
        """Code the first of the frames that wait."""
        seen, is_key = self._waiting.popleft()
        if is_key and (self._group is not None or self._held):
            self._end_group()
        if self._rate is not None and (is_key or self._held):
            self._held.append(seen)
            size = sum(s.luma.nbytes + 4 * s.latent.numel() for s in self._held[:1])
            if size * len(self._held) > _MOST_HELD:
                self._let_go()
            return
        self._code(seen, is_key)

    def _code(self, seen: Seen, is_key: bool) -> None:
        if is_key:
            self._group = self._new_group(seen)
            return
        assert self._group is not None
        following = []
        for later, is_next in self._waiting:
            if is_next:
                break
            following.append(later)
        self._group.add(seen, following)

    def _let_go(self) -> None:
        """Code the frames that are held; those that follow in the group are coded as they come."""
        assert self._rate is not None
        self._rate.begin(seconds=float(self._longest * self._facts.time_base))
        self._group = self._coded(self._held)
        self._held = []

    def _coded(self, held: Sequence[Seen]) -> GroupEncoder:
        group = self._new_group(held[0])
        for number, seen in enumerate(held[1:], 1):
            group.add(seen, held[number + 1 : number + 1 + LOOK_AHEAD])
        return group

    def _new_group(self, key: Seen) -> GroupEncoder:
        quality = self._quality if self._rate is None else self._rate.quality
        return GroupEncoder(self._model, *self._extent, key, quality=quality, effort=self._effort)

    def _end_group(self) -> None:
        if self._held:
            payload, count = self._held_at_rate()
        else:
            assert self._group is not None
            payload, count = self._packed(self._group), self._group.frames
            if self._rate is not None:
                self._rate.is_near(len(payload))
                self._rate.end(len(payload))
        self._put(self._writer.add(payload, count))
        self.frames, self.groups = self.frames + count, self.groups + 1
        self._group, self._held, self._packets = None, [], []

    def _held_at_rate(self) -> tuple[bytes, int]:
        """The payload of a group that is held, at the quality that the rate asks for."""
        assert self._rate is not None
        held = self._held
        step = (held[-1].ticks - held[0].ticks) / max(len(held) - 1, 1)
        if len(held) == 1:
            step = float(1 / (self._facts.rate or 25) / self._facts.time_base)
        lasts = (held[-1].ticks - held[0].ticks + step) * float(self._facts.time_base)
        self._rate.begin(seconds=lasts)
        while True:
            payload = self._packed(self._coded(held))
            if self._rate.is_near(len(payload)):
                break
        self._rate.end(len(payload))
        return payload, len(held)

    def _packed(self, group: GroupEncoder) -> bytes:
        audio = pack_packets(self._packets) if self._packets else b""
        return group.finish(self.frames, self._facts, audio)

    def _put(self, data: bytes) -> None:
        self._write(data)
        self.size += len(data)


def _is_cut(before: Seen, after: Seen) -> bool:
    """Whether two frames are of different scenes."""
    change = float((after.latent - before.latent).square().mean())
    each = sum(
        float((s.latent - s.latent.mean((1, 2), keepdim=True)).square().mean())
        for s in (before, after)
    )
    return change > _CUT * each and change > 1e-3
