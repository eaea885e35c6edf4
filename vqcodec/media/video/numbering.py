"""Which frames each group of a stream holds, before any is decoded."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from vqcodec.bitstream import OpenStream
from vqcodec.errors import CorruptError
from vqcodec.media.video.group import MOST_FRAMES, count_frames

__all__ = ["Numbering", "number_groups"]


class Numbering(NamedTuple):
    """For each group that is there: its chunk, its first frame, and how many it has."""

    chunks: tuple[int, ...]
    starts: tuple[int, ...]
    counts: tuple[int, ...]


def number_groups(stream: OpenStream, *, partial: bool = False) -> Numbering:
    """What the index says; without one, or for what is left, each group that is whole.

    Raises: CorruptError: no group is whole, or they say what no encoder writes.
    """
    if partial or stream.amounts is None:
        return _looked_at(stream)
    most = max(stream.amounts)
    if most > MOST_FRAMES:
        raise CorruptError(f"the index says a group of {most} frames, {MOST_FRAMES} at most")
    starts = tuple(accumulate(stream.amounts, initial=0))[:-1]
    return Numbering(tuple(range(len(stream))), starts, stream.amounts)


def _looked_at(stream: OpenStream) -> Numbering:
    found, end = [], 0
    for chunk, payload in stream.whole_regions():
        first, count = count_frames(payload)
        if first < end:
            raise CorruptError(f"group {chunk} begins with frame {first}, {end} came before it")
        found.append((chunk, first, count))
        end = first + count
    if not found:
        raise CorruptError("no group of the video is whole")
    chunks, starts, counts = zip(*found, strict=True)
    return Numbering(chunks, starts, counts)
