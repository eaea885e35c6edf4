"""What is heard with a video: packets as they stood in its file, neither decoded nor changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vqcodec.errors import CorruptError, InputError
from vqcodec.media.video.varints import append_number, append_signed, read_number, read_signed

__all__ = [
    "MOST_TRACKS",
    "Audio",
    "Packet",
    "Track",
    "pack_packets",
    "pack_tracks",
    "unpack_packets",
    "unpack_tracks",
]

MOST_TRACKS = 16
_LONGEST_HEAD = 2**20
_MOST_PARTS = 2**32 - 1
# A packet takes at least as many bytes: of its track, time, duration and length.
_SMALLEST_PACKET = 4


@dataclass(frozen=True)
class Track:
    """A track of audio.

    head: a Matroska file (RFC 9559) that holds this track alone, with one packet of one zero byte:
    its codec, extradata, sample rate and channels. time_base: seconds of its times.
    """

    head: bytes
    time_base: Fraction

    def __post_init__(self) -> None:
        base = self.time_base
        if base <= 0 or max(base.numerator, base.denominator) > _MOST_PARTS:
            raise InputError(f"time base of audio must be a fraction of 32-bit numbers, got {base}")
        if len(self.head) > _LONGEST_HEAD:
            raise InputError(
                f"the head of a track of audio has {len(self.head)} bytes, at most 1 MiB"
            )


@dataclass(frozen=True)
class Packet:
    """A packet of audio. track: its number. time, duration: in time bases of its track."""

    track: int
    data: bytes
    time: int
    duration: int


class Audio:
    """Tracks, and the packets that came so far while frames were drawn.

    >>> audio = Audio([Track(b"", Fraction(1, 48000))])
    >>> audio.add(Packet(0, b"some", 0, 1024))
    >>> [packet.data for packet in audio.take()], audio.take()
    ([b'some'], [])
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        if len(tracks) > MOST_TRACKS:
            raise InputError(
                f"a video has at most {MOST_TRACKS} tracks of audio, got {len(tracks)}"
            )
        self.tracks = tuple(tracks)
        self._packets: list[Packet] = []

    def add(self, packet: Packet) -> None:
        """Add what comes next."""
        self._packets.append(packet)

    def take(self) -> list[Packet]:
        """The packets that nobody has taken yet."""
        packets, self._packets = self._packets, []
        return packets


def pack_tracks(tracks: Sequence[Track]) -> bytes:
    """The tracks as bytes.

    >>> pack_tracks([Track(b"head", Fraction(1, 1000))]).hex()
    '0101e8070468656164'
    """
    out = bytearray((len(tracks),))
    for track in tracks:
        append_number(out, track.time_base.numerator)
        append_number(out, track.time_base.denominator)
        append_number(out, len(track.head))
        out += track.head
    return bytes(out)


def unpack_tracks(payload: bytes) -> list[Track]:
    """The tracks in bytes. Raises: CorruptError for anything else."""
    if not payload or payload[0] not in range(1, MOST_TRACKS + 1):
        raise CorruptError(f"a number of tracks of audio is 1 to {MOST_TRACKS}: {payload[:1]!r}")
    tracks, place = [], 1
    for number in range(payload[0]):
        numbers = []
        for what in ("time base", "time base", "length"):
            value, place = read_number(payload, place, f"the {what} of track {number} of audio")
            numbers.append(value)
        over, under, length = numbers
        if under == 0 or Fraction(over, under).denominator != under:
            raise CorruptError(f"the time base of track {number} of audio is {over}/{under}")
        if length > len(payload) - place:
            raise CorruptError(f"track {number} of audio is cut off")
        try:
            tracks.append(Track(payload[place : place + length], Fraction(over, under)))
        except InputError as error:
            raise CorruptError(str(error)) from error
        place += length
    if place < len(payload):
        raise CorruptError(f"{len(payload) - place} bytes stand behind the tracks of audio")
    return tracks


def pack_packets(packets: Iterable[Packet]) -> bytes:
    """Packets as bytes: of each its track, time, duration and length, then the data of all.

    Times count from that of the packet before it of the same track, from 0 for the first.

    >>> pack_packets([Packet(0, b"ab", 3, 1), Packet(0, b"c", 4, 1)]).hex()
    '020006010200020101616263'
    """
    packets = list(packets)
    out, before = bytearray(), dict.fromkeys(range(MOST_TRACKS), 0)
    append_number(out, len(packets))
    for packet in packets:
        append_number(out, packet.track)
        append_signed(out, packet.time - before[packet.track])
        append_number(out, packet.duration)
        append_number(out, len(packet.data))
        before[packet.track] = packet.time
    return bytes(out) + b"".join(packet.data for packet in packets)


def unpack_packets(payload: bytes, tracks: int) -> list[Packet]:
    """The packets in bytes, of so many tracks. Raises: CorruptError for anything else."""
    count, place = read_number(payload, 0, "the number of packets of audio")
    if count * _SMALLEST_PACKET > len(payload):
        raise CorruptError(f"{len(payload)} bytes hold no {count} packets of audio")
    before = dict.fromkeys(range(tracks), 0)
    heads: list[tuple[int, int, int, int]] = []
    for number in range(count):
        what = f"packet {number} of audio"
        track, place = read_number(payload, place, f"the track of {what}")
        if track not in before:
            raise CorruptError(f"{what} is of track {track}, there are {tracks}")
        step, place = read_signed(payload, place, f"the time of {what}")
        duration, place = read_number(payload, place, f"the duration of {what}")
        length, place = read_number(payload, place, f"the length of {what}")
        before[track] += step
        if abs(before[track]) >= 2**62 or duration >= 2**62:
            raise CorruptError(f"{what} is heard at {before[track]} for {duration} time bases")
        heads.append((track, before[track], duration, length))
    if sum(length for *_, length in heads) != len(payload) - place:
        raise CorruptError(
            f"packets of audio do not fill the {len(payload) - place} bytes there are"
        )
    packets = []
    for track, time, duration, length in heads:
        packets.append(Packet(track, payload[place : place + length], time, duration))
        place += length
    return packets
