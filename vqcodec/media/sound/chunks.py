"""What a stream of a sound carries beside its codes: rates, how long it is, and tags."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from vqcodec.bitstream import DEFAULT_LIMITS, Chunk, Header, Limits, Stream, inflated_chunk
from vqcodec.bitstream.varint import append_varint, read_varint
from vqcodec.errors import CorruptError, InputError, TruncatedError

__all__ = ["RATE", "RATES", "TAGS", "Rates", "check_rates", "pack_tags", "rates_of", "unpack_tags"]

RATE = "R"
TAGS = "t"

# Samples per second that a file may name.
RATES = range(1000, 768_001)


@dataclass(frozen=True)
class Rates:
    """What the rate chunk says.

    coded: samples per second that the codes stand for, the model's. rate: of the sound. samples:
    how many the sound has of each channel.

    >>> Rates(coded=24000, rate=44100, samples=441).pack().hex()
    'c0bb01c4d802b903'
    """

    coded: int
    rate: int
    samples: int

    def pack(self) -> bytes:
        """The payload: one number where the sound has the model's rate, otherwise three."""
        out = bytearray()
        for number in (self.coded, self.rate, self.samples)[: 1 if self.rate == self.coded else 3]:
            append_varint(out, number)
        return bytes(out)

    @property
    def extent(self) -> int:
        """How many samples there are at the model's rate."""
        return -(-self.samples * self.coded // self.rate)


def check_rates(header: Header, payload: bytes | None) -> None:
    """Refuse a rate chunk that does not belong to this header.

    Raises: CorruptError if it is missing, says rates that no sound has or is not of this extent.
    """
    numbers = _numbers(payload)
    rates, (length,) = _rates(numbers, header), header.extent
    if rates.coded not in RATES or rates.rate not in RATES:
        raise CorruptError(f"the rate chunk says rates of {rates.coded} and {rates.rate}")
    if (len(numbers) == 3) != (rates.coded != rates.rate) or rates.extent != length:
        raise CorruptError(
            f"the rate chunk says {rates.samples} samples at {rates.rate}, which are not the "
            f"header's {length} at {rates.coded}"
        )


def rates_of(stream: Stream) -> Rates:
    """The rates of a stream of a sound that was checked."""
    return _rates(_numbers(stream.payload(RATE)), stream.header)


def _rates(numbers: list[int], header: Header) -> Rates:
    return Rates(*numbers) if len(numbers) == 3 else Rates(numbers[0], numbers[0], *header.extent)


def _numbers(payload: bytes | None) -> list[int]:
    if payload is None:
        raise CorruptError("a sound lacks its rate chunk")
    numbers: list[int] = []
    place = 0
    try:
        while place < len(payload) and len(numbers) < 3:
            number, place = read_varint(payload, place, "a number of the rate chunk")
            numbers.append(number)
    except TruncatedError as error:
        raise CorruptError(f"the rate chunk is cut: {error}") from error
    if len(numbers) not in (1, 3) or place < len(payload):
        raise CorruptError("the rate chunk holds other than one or three numbers")
    return numbers


def pack_tags(tags: Mapping[str, str]) -> Chunk:
    """The chunk of tags. Raises: InputError for more bytes than a reader takes by default."""
    text = json.dumps(dict(sorted(tags.items())), ensure_ascii=False, separators=(",", ":"))
    raw, most = text.encode("utf-8", "replace"), DEFAULT_LIMITS.max_metadata_bytes
    if len(raw) > most:
        raise InputError(
            f"tags of {len(raw)} bytes are more than the {most} that a stream may carry: leave "
            "them out"
        )
    return Chunk(TAGS, zlib.compress(raw, 9))


def unpack_tags(stream: Stream, limits: Limits) -> dict[str, str]:
    """The tags of a stream by their names; none without the chunk.

    Raises: LimitError, CorruptError as `inflated_chunk`; CorruptError if the text is not an object
    of texts.
    """
    raw = inflated_chunk(stream, TAGS, limits)
    if raw is None:
        return {}
    try:
        tags = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"the tags are no JSON: {error}") from error
    if not isinstance(tags, dict) or not all(isinstance(text, str) for text in tags.values()):
        raise CorruptError("the tags are not an object of texts")
    return tags
