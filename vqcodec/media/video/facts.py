"""What is true of all frames, and when each is shown, as bytes of a stream."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from fractions import Fraction

from vqcodec.errors import CorruptError, InputError
from vqcodec.media.video.signal import MOST_TICKS, Facts
from vqcodec.media.video.varints import append_number, read_number

__all__ = ["is_regular", "pack_facts", "pack_times", "unpack_facts", "unpack_times"]

_REGULAR, _PLAIN, _DEFLATED = 0, 1, 2
_LONGEST_NUMBER = 8
_FRACTIONS = ("time base", "frame rate", "pixel aspect")


def pack_facts(facts: Facts) -> bytes:
    """The payload of the chunk of facts.

    >>> pack_facts(Facts(time_base=Fraction(1, 25), rate=Fraction(25))).hex()
    '01191901010100020202'
    """
    out = bytearray()
    for value in (facts.time_base, facts.rate or Fraction(0), facts.aspect):
        append_number(out, value.numerator)
        append_number(out, value.denominator)
    out.append(facts.rotation // 90 | facts.full_range << 2 | facts.siting << 3)
    out += bytes((facts.matrix, facts.primaries, facts.transfer))
    return bytes(out)


def unpack_facts(payload: bytes) -> Facts:
    """The facts in the payload of their chunk. Raises: CorruptError for anything else."""
    numbers, place = [], 0
    for name in _FRACTIONS:
        over, place = read_number(payload, place, f"the {name} of a video")
        under, place = read_number(payload, place, f"the {name} of a video")
        if under == 0 or (value := Fraction(over, under)).denominator != under:
            raise CorruptError(
                f"the {name} of a video is {over}/{under}, no fraction in lowest terms"
            )
        numbers.append(value)
    rest = payload[place:]
    if len(rest) != 4 or rest[0] >> 6:
        raise CorruptError(f"facts of a video end with {rest[:8].hex(' ')}, not with four bytes")
    try:
        return Facts(
            time_base=numbers[0],
            rate=numbers[1] or None,
            aspect=numbers[2],
            rotation=90 * (rest[0] & 3),
            full_range=bool(rest[0] >> 2 & 1),
            siting=rest[0] >> 3,
            matrix=rest[1],
            primaries=rest[2],
            transfer=rest[3],
        )
    except InputError as error:
        raise CorruptError(f"facts of a video: {error}") from error


def pack_times(ticks: Sequence[int], first: int, facts: Facts) -> bytes:
    """When the frames of a group are shown, in time bases of the facts.

    ticks: rising, at least one. first: the number of the group's first frame in the video. One byte
    where every frame is shown when the frame rate says, to the nearest time base.

    >>> steady = Facts(time_base=Fraction(1, 1000), rate=Fraction(30))
    >>> pack_times([100, 133, 167], 3, steady).hex(), pack_times([5, 9], 3, steady).hex()
    ('00', '010503')
    """
    if facts.rate is not None and list(ticks) == _regular(first, len(ticks), facts):
        return bytes((_REGULAR,))
    numbers, before = bytearray(), -1
    for number, tick in enumerate(ticks):
        append_number(numbers, tick if number == 0 else tick - before - 1)
        before = tick
    deflated = zlib.compress(bytes(numbers), 9)
    if len(deflated) < len(numbers):
        return bytes((_DEFLATED,)) + deflated
    return bytes((_PLAIN,)) + bytes(numbers)


def is_regular(payload: bytes) -> bool:
    """Whether the frames of such times are shown when the frame rate says."""
    return payload == bytes((_REGULAR,))


def unpack_times(payload: bytes, first: int, count: int, facts: Facts) -> list[int]:
    """The times of `count` frames, in time bases; never inflates more than these can take.

    Raises: CorruptError for anything else than what `pack_times` writes.
    """
    form, numbers = payload[:1], payload[1:]
    if form == bytes((_REGULAR,)) and facts.rate is not None and not numbers:
        return _regular(first, count, facts)
    if form == bytes((_DEFLATED,)):
        numbers = _inflated(numbers, count * _LONGEST_NUMBER)
    elif form != bytes((_PLAIN,)):
        raise CorruptError(f"times of frames begin with {payload[:4].hex(' ')}")
    ticks: list[int] = []
    place = 0
    for number in range(count):
        step, place = read_number(numbers, place, f"the time of frame {first + number}")
        ticks.append(step if not ticks else ticks[-1] + 1 + step)
        if ticks[-1] >= MOST_TICKS:
            raise CorruptError(f"frame {first + number} is shown after {ticks[-1]} time bases")
    if place < len(numbers):
        raise CorruptError(f"there are times of more than {count} frames")
    return ticks


def _regular(first: int, count: int, facts: Facts) -> list[int]:
    """The nearest time bases to number / rate, halves up."""
    assert facts.rate is not None
    step = 1 / (facts.rate * facts.time_base)
    over, under = step.numerator, step.denominator
    return [(2 * n * over + under) // (2 * under) for n in range(first, first + count)]


def _inflated(data: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        numbers = inflater.decompress(data, most + 1)
    except zlib.error as error:
        raise CorruptError(f"times of frames do not inflate: {error}") from error
    if len(numbers) > most or not inflater.eof or inflater.unused_data:
        raise CorruptError("times of frames are not exactly one zlib stream of their length")
    return numbers
