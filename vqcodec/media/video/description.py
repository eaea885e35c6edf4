"""What people are told about a stream of a video."""

from __future__ import annotations

from typing import Any

from vqcodec.bitstream import Stream
from vqcodec.media.video.audio import unpack_tracks
from vqcodec.media.video.facts import unpack_facts
from vqcodec.media.video.group import check_audio, check_order, unpack_group
from vqcodec.media.video.letters import FACTS, TRACKS

__all__ = ["describe"]


def describe(stream: Stream, size: int) -> dict[str, Any]:
    """Plain values by name. Raises: CorruptError."""
    facts = unpack_facts(stream.payload(FACTS) or b"")
    groups = [unpack_group(payload, regions=0, whole=False) for payload in stream.codes]
    tracks = stream.payload(TRACKS)
    count = len(unpack_tracks(tracks)) if tracks is not None else 0
    check_order(groups, facts)
    for group in groups:
        check_audio(group, count)
    ticks = groups[0].span(facts)[0], groups[-1].span(facts)[1]
    frames = sum(group.count for group in groups)
    height, width = stream.header.extent
    apart = ticks[1] - ticks[0]
    seconds = float(facts.time_base * apart + facts.lasts(apart, frames))
    found: dict[str, Any] = {
        "kbps": 8 * size / 1000 / seconds,
        "bpp": 8 * size / (frames * height * width),
        "seconds": seconds,
        "frames_per_second": float(facts.rate) if facts.rate is not None else "varies",
        "frames_of_longest_group": max(group.count for group in groups),
        "audio_bytes": sum(len(group.audio) for group in groups),
        "audio_tracks": count,
    }
    if facts.rotation:
        found["rotation"] = facts.rotation
    if facts.aspect != 1:
        found["pixel_aspect"] = str(facts.aspect)
    return found
