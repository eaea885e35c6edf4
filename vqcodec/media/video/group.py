"""A group of frames as bytes: when they are shown, what is heard, a key frame, and changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from vqcodec.bitstream.varint import append_varint, read_varint
from vqcodec.errors import CorruptError, TruncatedError
from vqcodec.media.video.facts import is_regular, pack_times, unpack_times
from vqcodec.media.video.signal import Facts

__all__ = [
    "MOST_FRAMES",
    "Group",
    "check_audio",
    "check_order",
    "count_frames",
    "pack_group",
    "unpack_group",
]

MOST_FRAMES = 65536


@dataclass(frozen=True, kw_only=True)
class Group:
    """What a code chunk holds.

    Attributes:
        first, count: number of its first frame in the video, and how many there are.
        times: when they are shown, see `ticks`.
        audio: packets of audio that belong to it, see `audio.pack_packets`; often empty.
        stages: of the key frame's codes.
        scale: index of that of the vectors of changes, see `model.scale_of`.
        key: a payload for each region of the key frame.
        changes: the payload of all other frames, empty where there is none.

    >>> group = Group(
    ...     first=9, count=3, times=bytes(1), audio=b"", stages=12, scale=128, key=(b"key",),
    ...     changes=b"changes",
    ... )
    >>> unpack_group(pack_group(group), regions=1) == group
    True
    """

    first: int
    count: int
    times: bytes
    audio: bytes
    stages: int
    scale: int
    key: tuple[bytes, ...]
    changes: bytes

    def ticks(self, facts: Facts) -> list[int]:
        """When each frame is shown, in time bases. Raises: CorruptError."""
        ticks = unpack_times(self.times, self.first, self.count, facts)
        if any(after <= before for before, after in pairwise(ticks)):
            raise CorruptError("frames of a group are shown at one time: its time base is too long")
        if pack_times(ticks, self.first, facts) != self.times:
            raise CorruptError("the times of a group are not written as an encoder writes them")
        return ticks

    def span(self, facts: Facts) -> tuple[int, int]:
        """When the first and the last frame are shown. Raises: as `ticks`."""
        if self.is_regular and facts.rate is not None and facts.rate * facts.time_base <= 1:
            ends = (
                replace(self, first=n, count=1) for n in (self.first, self.first + self.count - 1)
            )
            first, last = (ticks for end in ends for ticks in end.ticks(facts))
            return first, last
        ticks = self.ticks(facts)
        return ticks[0], ticks[-1]

    @property
    def is_regular(self) -> bool:
        """Whether every frame is shown when the frame rate says."""
        return is_regular(self.times)


def check_order(groups: Iterable[Group], facts: Facts) -> None:
    """Raise CorruptError for a group that is not shown after the one before."""
    before = -1
    for number, group in enumerate(groups):
        first, last = group.span(facts)
        if first <= before:
            raise CorruptError(f"group {number} is not shown after the one before")
        before = last


def check_audio(group: Group, tracks: int) -> None:
    """Raise CorruptError for a group with audio in a video without tracks of it."""
    if group.audio and not tracks:
        raise CorruptError(
            f"a group has {len(group.audio)} bytes of audio, the video no track of it"
        )


def pack_group(group: Group) -> bytes:
    """Write a group."""
    out = bytearray()
    append_varint(out, group.first)
    append_varint(out, group.count)
    for part in (group.times, group.audio):
        append_varint(out, len(part))
        out += part
    out += bytes((group.stages, group.scale))
    for payload in group.key:
        append_varint(out, len(payload))
        out += payload
    return bytes(out) + group.changes


def count_frames(payload: bytes) -> tuple[int, int]:
    """The number of a group's first frame, and how many it has. Raises: CorruptError."""
    first, count, _ = _beginning(payload)
    return first, count


def unpack_group(payload: bytes, *, regions: int, whole: bool = True) -> Group:
    """Read a group whose key frame has so many regions; nothing of it is decoded.

    whole: otherwise what stands before the key frame, with 0 regions.
    Raises: CorruptError for lengths that do not fit into each other.
    """
    first, count, at = _beginning(payload)
    try:
        times, at = _part(payload, at, "the times")
        audio, at = _part(payload, at, "the audio")
        if at + 2 > len(payload):
            raise TruncatedError("it ends before its key frame")
        stages, scale, at = payload[at], payload[at + 1], at + 2
        key = []
        for number in range(regions):
            part, at = _part(payload, at, f"region {number} of the key frame")
            key.append(part)
    except TruncatedError as error:
        raise CorruptError(f"a group: {error}") from error
    changes = payload[at:]
    if whole and count == 1 and changes:
        raise CorruptError("a group of one frame has changes")
    return Group(
        first=first,
        count=count,
        times=times,
        audio=audio,
        stages=stages,
        scale=scale,
        key=tuple(key),
        changes=changes,
    )


def _part(payload: bytes, at: int, what: str) -> tuple[bytes, int]:
    length, at = read_varint(payload, at, f"the length of {what}")
    if at + length > len(payload):
        raise TruncatedError(f"{what} of {length} bytes do not fit into it")
    return payload[at : at + length], at + length


def _beginning(payload: bytes) -> tuple[int, int, int]:
    """The number of the first frame, that of frames, and where the rest begins."""
    try:
        first, at = read_varint(payload, 0, "the number of the first frame")
        count, at = read_varint(payload, at, "the number of frames")
    except TruncatedError as error:
        raise CorruptError(f"a group: {error}") from error
    if not 1 <= count <= MOST_FRAMES or first + count >= 2**32:
        raise CorruptError(f"a group of {count} frames from number {first} on")
    return first, count, at
