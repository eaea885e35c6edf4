"""Tracks of audio between PyAV's streams and ours: a Matroska file says what each is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from vqcodec.errors import InputError
from vqcodec.media.video.adts import configuration_of
from vqcodec.media.video.audio import Packet, Track
from vqcodec.media.video.pyav import ALONE, import_av, named_errors

__all__ = ["add_track", "has_headers", "mux_packets", "track_of"]

_BIT_EXACT = 0x400
_LAYOUTS = {1: "mono", 2: "stereo"}


def has_headers(stream: Any) -> bool:
    """Whether packets of a stream of audio carry headers that containers write once: ADTS."""
    context = stream.codec_context
    return context is not None and context.name == "aac" and not context.extradata


def track_of(stream: Any, first: bytes | None = None) -> Track:
    """The track of a stream of audio of PyAV.

    first: the first packet of one that `has_headers`.
    Raises: InputError if Matroska cannot hold it.
    """
    av, file = import_av("keep audio"), io.BytesIO()
    name = stream.codec_context.name if stream.codec_context is not None else "unknown"
    try:
        with (
            named_errors(f"audio of the codec {name} cannot be kept, leave it out"),
            av.open(file, "w", format="matroska") as container,
        ):
            container.flags |= _BIT_EXACT
            out = container.add_stream_from_template(stream)
            if first is not None:
                out.codec_context.extradata = configuration_of(first)
            packet = av.Packet(b"\0")
            packet.stream, packet.pts, packet.dts = out, 0, 0
            packet.time_base = Fraction(1, 1000)
            container.mux(packet)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"audio of the codec {name} cannot be kept, leave it out") from error
    return Track(file.getvalue(), Fraction(stream.time_base))


def add_track(container: Any, track: Track) -> Any:
    """Add a track to an open container of PyAV; return its stream.

    Raises: InputError: the track is damaged, or a container of this format holds none of its codec.
    """
    av = import_av("write audio")
    damaged = "the track of audio is damaged"
    with named_errors(damaged):
        head = av.open(io.BytesIO(track.head), "r", options=ALONE, metadata_errors="replace")
    with head:
        streams = list(head.streams)
        if [s.type for s in streams] != ["audio"] or streams[0].codec_context is None:
            raise InputError(f"{damaged}: its head holds something else")
        name = streams[0].codec_context.name
        with named_errors(damaged):
            try:
                stream = container.add_stream_from_template(streams[0])
            except av.FFmpegError:
                raise
            except ValueError as error:
                raise InputError(
                    f"{container.format.name} holds no audio of the codec {name}: write .mkv, or "
                    "leave audio out"
                ) from error
    # Matroska counts channels, and MP4 wants them named.
    if (layout := _LAYOUTS.get(stream.codec_context.channels)) is not None:
        stream.codec_context.layout = layout
    stream.time_base = track.time_base
    return stream


def mux_packets(
    container: Any, streams: Sequence[Any], tracks: Sequence[Track], packets: Sequence[Packet]
) -> None:
    """Write packets to streams that `add_track` made."""
    av = import_av("write audio")
    for packet in packets:
        out = av.Packet(packet.data)
        out.stream, out.pts, out.dts = streams[packet.track], packet.time, packet.time
        out.duration, out.time_base = packet.duration, tracks[packet.track].time_base
        container.mux(out)
