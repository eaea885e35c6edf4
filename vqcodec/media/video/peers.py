"""The codecs that a user would otherwise take: x264, x265 and SVT-AV1, through PyAV.

Each runs on one thread at its usual preset, psychovisual settings included. Rates count packets, in
which headers stand, because a container can be chosen freely; what x264 and x265 write about
themselves is taken out. Sides are padded to even ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from vqcodec.media.video.facts import pack_facts, pack_times, unpack_facts, unpack_times
from vqcodec.media.video.planes import frame_from, frame_to
from vqcodec.media.video.pyav import import_av
from vqcodec.media.video.signal import Facts, Frame, Video
from vqcodec.media.video.varints import append_number, read_number
from vqcodec.media.workshop import Contestant

__all__ = ["KEYFRAME_SECONDS", "PEERS", "make_peer"]

# As the project's own codec does unless it is told otherwise.
KEYFRAME_SECONDS = 2.0
_USUAL_RATE = Fraction(25)
_USER_DATA = 6


@dataclass(frozen=True)
class _Peer:
    """encoder, decoder: FFmpeg's names. options: all that is set but quality and key frames."""

    encoder: str
    decoder: str
    options: Mapping[str, str]
    settings: str
    ladder: tuple[float, ...]


_PEERS = {
    "x264": _Peer(
        "libx264",
        "h264",
        {"preset": "medium", "threads": "1"},
        "preset medium",
        (48, 45, 42, 39, 36, 33, 30, 27, 24),
    ),
    "x265": _Peer(
        "libx265",
        "hevc",
        {"preset": "medium", "x265-params": "log-level=none:pools=1:frame-threads=1:info=0"},
        "preset medium",
        (46, 43, 40, 37, 34, 31, 28, 25),
    ),
    "svt-av1": _Peer(
        "libsvtav1",
        "libdav1d",
        {"preset": "6", "svtav1-params": "lp=1"},
        "preset 6",
        (63, 58, 53, 48, 43, 38, 33, 28),
    ),
}


def make_peer(name: str, *, keyframe_seconds: float | None = KEYFRAME_SECONDS) -> Contestant:
    """A codec with a key frame so often, or at the beginning alone (None).

    Raises: MissingDependencyError without PyAV, or KeyError for another name.
    """
    av = import_av(f"compare with {name}")
    # SVT-AV1 writes to the terminal otherwise.
    os.environ.setdefault("SVT_LOG", "1")
    peer = _PEERS[name]
    every = "at the beginning" if keyframe_seconds is None else f"every {keyframe_seconds:g} s"
    major, minor, micro = av.library_versions["libavcodec"]
    return Contestant(
        name=name,
        version=f"{peer.encoder} of PyAV {av.__version__}, libavcodec {major}.{minor}.{micro}",
        settings=f"{peer.settings}, 1 thread, key frames {every}; the setting is crf",
        ladder=peer.ladder,
        encode=partial(_encode, peer, keyframe_seconds),
        decode=partial(_decode, peer),
        size=lambda data: sum(map(len, _unpacked(data)[-1])),
        counted="packets",
    )


def _encode(peer: _Peer, keyframe_seconds: float | None, video: Video, crf: float) -> bytes:
    """Number, extent, facts, times and packets."""
    av = import_av("encode videos")
    frames = list(video)
    ticks = [video.facts.ticks(frame.time) for frame in frames]
    rate = video.facts.rate or _USUAL_RATE
    context = av.CodecContext.create(peer.encoder, "w")
    context.width, context.height = video.width + video.width % 2, video.height + video.height % 2
    context.pix_fmt = "yuv420p"
    # Numbers instead of times: no codec spends bits on them, and none is troubled by odd ones.
    context.framerate, context.time_base = rate, 1 / rate
    apart = len(frames) if keyframe_seconds is None else round(keyframe_seconds * rate)
    context.gop_size = max(1, apart)
    context.options = {"crf": f"{crf:g}", **peer.options}
    packets = []
    for number, frame in enumerate(frames):
        out = frame_to(_even(frame))
        out.pts, out.time_base = number, 1 / rate
        packets += [bytes(packet) for packet in context.encode(out)]
    packets += [bytes(packet) for packet in context.encode(None)]
    packets = [_without_notes(packet) if peer.decoder == "h264" else packet for packet in packets]
    return _packed(video, ticks, packets)


def _decode(peer: _Peer, data: bytes) -> Video:
    av = import_av("decode videos")
    height, width, facts, ticks, packets = _unpacked(data)
    context = av.CodecContext.create(peer.decoder, "r")
    context.thread_count = 1
    decoded: list[Any] = []
    for packet in [*map(av.Packet, packets), None]:
        decoded += context.decode(packet)
    frames = [
        _cut(frame_from(out, facts, tick * facts.time_base), height, width)
        for out, tick in zip(decoded, ticks, strict=True)
    ]
    return Video(frames, height=height, width=width, facts=facts, count=len(frames))


def _packed(video: Video, ticks: list[int], packets: list[bytes]) -> bytes:
    out, facts = bytearray(), pack_facts(video.facts)
    times = pack_times(ticks, 0, video.facts)
    for number in (video.height, video.width, len(ticks), len(facts), len(times), len(packets)):
        append_number(out, number)
    for packet in packets:
        append_number(out, len(packet))
    return bytes(out) + facts + times + b"".join(packets)


def _unpacked(data: bytes) -> tuple[int, int, Facts, list[int], list[bytes]]:
    numbers: list[int] = []
    place = 0
    while len(numbers) < 6 or len(numbers) < 6 + numbers[5]:
        number, place = read_number(data, place, "a number of a peer")
        numbers.append(number)
    height, width, count = numbers[:3]
    parts = []
    for length in (*numbers[3:5], *numbers[6:]):
        parts.append(data[place : place + length])
        place += length
    facts = unpack_facts(parts[0])
    return height, width, facts, unpack_times(parts[1], 0, count, facts), parts[2:]


def _even(frame: Frame) -> Frame:
    """A frame of even sides, its last row and column repeated; chroma has room for it already."""
    pads = [(0, side % 2) for side in frame.extent]
    return Frame(np.pad(frame.y, pads, mode="edge"), frame.u, frame.v, frame.time)


def _cut(frame: Frame, height: int, width: int) -> Frame:
    return Frame(np.ascontiguousarray(frame.y[:height, :width]), frame.u, frame.v, frame.time)


def _without_notes(packet: bytes) -> bytes:
    """A packet of H.264 (ITU-T H.264, annex B) without supplemental information: x264's name."""
    units = packet.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
    return b"".join(b"\0\0\1" + unit for unit in units if unit[:1] and unit[0] & 31 != _USER_DATA)


PEERS: Mapping[str, Callable[[], Contestant]] = {name: partial(make_peer, name) for name in _PEERS}
