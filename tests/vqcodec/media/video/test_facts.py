"""Facts and times as bytes: whatever is written is read, and all else is refused by name."""

from __future__ import annotations

import itertools
import zlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.errors import CorruptError
from vqcodec.media.video.facts import pack_facts, pack_times, unpack_facts, unpack_times
from vqcodec.media.video.signal import MOST_TICKS, Facts

parts = st.integers(1, 2**32 - 1)
fractions = st.builds(Fraction, parts, parts)
points = st.integers(0, 255)
all_facts = st.builds(
    Facts,
    time_base=fractions,
    rate=st.none() | fractions,
    aspect=fractions,
    rotation=st.sampled_from([0, 90, 180, 270]),
    matrix=points,
    primaries=points,
    transfer=points,
    full_range=st.booleans(),
    siting=st.integers(0, 5),
)
STEADY = Facts(time_base=Fraction(1, 1000), rate=Fraction(30000, 1001))
VARYING = Facts(time_base=Fraction(1, 90000))


@given(all_facts)
def test_facts_come_back(facts: Facts) -> None:
    assert unpack_facts(pack_facts(facts)) == facts


@settings(max_examples=300)
@given(
    st.binary(max_size=24)
    | st.builds(lambda facts, cut: pack_facts(facts)[:cut], all_facts, st.integers(0, 30))
)
def test_bytes_are_facts_or_refused(payload: bytes) -> None:
    try:
        facts = unpack_facts(payload)
    except CorruptError:
        return
    assert pack_facts(facts) == payload


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("", "the bytes end within the time base"),
        ("0100", "the time base of a video is 1/0"),
        ("0204", "the time base of a video is 2/4, no fraction in lowest terms"),
        ("0119 1901 0101 40020202", "facts of a video end with 40 02 02 02"),
        ("0119 1901 0101 00020202 00", "not with four bytes"),
        ("0001 1901 0101 00020202", "time base must be"),
        ("0119 1901 0101 30020202", "siting is a number below 6, got 6"),
    ],
)
def test_what_is_wrong_is_named(payload: str, message: str) -> None:
    with pytest.raises(CorruptError, match=message):
        unpack_facts(bytes.fromhex(payload))


rising = st.lists(st.integers(0, 10**7), min_size=1, max_size=40, unique=True).map(sorted)


@given(rising, st.integers(0, 10**6), st.sampled_from([STEADY, VARYING]))
def test_times_come_back(ticks: list[int], first: int, facts: Facts) -> None:
    payload = pack_times(ticks, first, facts)
    assert unpack_times(payload, first, len(ticks), facts) == ticks


def test_steady_times_take_a_byte() -> None:
    # As muxers round times of 30000 / 1001 frames a second to milliseconds.
    ticks = [(2 * n * 1001 + 30) // 60 for n in range(400, 500)]
    assert pack_times(ticks, 400, STEADY) == b"\0"
    assert len(pack_times(ticks, 401, STEADY)) > 1


def test_times_that_jitter_are_deflated() -> None:
    ticks = [3600 * n + n % 3 for n in range(200)]
    assert len(pack_times(ticks, 0, VARYING)) < 40


@settings(max_examples=300)
@given(st.binary(max_size=40), st.integers(1, 20))
def test_bytes_are_times_or_refused(payload: bytes, count: int) -> None:
    for form in (payload, b"\2" + zlib.compress(payload)):
        try:
            ticks = unpack_times(form, 0, count, VARYING)
        except CorruptError:
            continue
        assert len(ticks) == count
        assert all(a < b for a, b in itertools.pairwise(ticks))
        assert 0 <= ticks[0] <= ticks[-1] < MOST_TICKS


def test_no_more_is_inflated_than_times_can_take() -> None:
    bomb = b"\2" + zlib.compress(bytes(10**7), 9)
    with pytest.raises(CorruptError, match="not exactly one zlib stream"):
        unpack_times(bomb, 0, 100, VARYING)


def test_times_without_a_rate_are_not_steady() -> None:
    with pytest.raises(CorruptError, match="times of frames begin with 00"):
        unpack_times(b"\0", 0, 3, VARYING)
