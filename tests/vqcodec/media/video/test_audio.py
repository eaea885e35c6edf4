"""Packets of audio as bytes: whatever is written is read, and all else is refused by name."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.errors import CorruptError, InputError
from vqcodec.media.video.audio import (
    Audio,
    Packet,
    Track,
    pack_packets,
    pack_tracks,
    unpack_packets,
    unpack_tracks,
)

tracks = st.lists(
    st.builds(
        Track,
        head=st.binary(max_size=40),
        time_base=st.builds(Fraction, st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1)),
    ),
    min_size=1,
    max_size=16,
)
packets = st.lists(
    st.builds(
        Packet,
        track=st.integers(0, 2),
        data=st.binary(max_size=30),
        time=st.integers(-(2**40), 2**40),
        duration=st.integers(0, 2**40),
    ),
    max_size=20,
)


@given(tracks)
def test_tracks_come_back(some: list[Track]) -> None:
    assert unpack_tracks(pack_tracks(some)) == some


@given(packets)
def test_packets_come_back(some: list[Packet]) -> None:
    assert unpack_packets(pack_packets(some), 3) == some


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_bytes_are_packets_or_refused(payload: bytes) -> None:
    with contextlib.suppress(CorruptError):
        assert pack_packets(unpack_packets(payload, 3)) == payload


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_bytes_are_tracks_or_refused(payload: bytes) -> None:
    with contextlib.suppress(CorruptError):
        assert pack_tracks(unpack_tracks(payload)) == payload


def test_cut_bytes_are_refused() -> None:
    whole = pack_packets([Packet(0, b"abc", 5, 2), Packet(1, b"", -7, 0), Packet(0, b"x", 6, 2)])
    for end in range(len(whole)):
        with pytest.raises(CorruptError):
            unpack_packets(whole[:end], 2)
    with pytest.raises(CorruptError, match="packet 1 of audio is of track 1, there are 1"):
        unpack_packets(whole, 1)


def test_more_packets_than_bytes_are_refused_at_once() -> None:
    with pytest.raises(CorruptError, match="9 bytes hold no 4294967295 packets"):
        unpack_packets(bytes.fromhex("ffffffff0f") + bytes(4), 1)


def test_tracks_that_no_file_has_are_refused() -> None:
    with pytest.raises(InputError, match="time base of audio"):
        Track(b"", Fraction(0))
    with pytest.raises(InputError, match="at most 16 tracks"):
        Audio([Track(b"", Fraction(1))] * 17)
    with pytest.raises(CorruptError, match="a number of tracks of audio is 1 to 16"):
        unpack_tracks(b"\0")
