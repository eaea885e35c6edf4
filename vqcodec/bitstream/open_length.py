"""Streams whose length was not known when they began: code chunks, and an index at their end."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from vqcodec.bitstream.chunk import CODES, Chunk, check_codes, chunk_end, pack_chunk, unpack_chunk
from vqcodec.bitstream.container import Stream, StreamWriter, read_beginning
from vqcodec.bitstream.header import Header
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.bitstream.partial import PartialStream
from vqcodec.bitstream.varint import MAX_VARINT, Readable, append_varint, read_varint
from vqcodec.errors import ChecksumError, CorruptError, FormatError, InputError, TruncatedError

__all__ = ["INDEX", "CountedStream", "OpenStream", "OpenWriter", "open_stream", "whole_stream"]

INDEX = "I"
# At the end of the index: how many bytes its chunk has, and the chunk's checksum.
_TAIL = 8


class OpenWriter:
    """Such a stream, chunk by chunk: first `begin`, then `add` for each region, then `end`.

    >>> sizes = {"extent": (48, 64), "channels": 3, "stages": 6, "regions": 0}
    >>> header = Header(medium=2, prior=2, fingerprint=bytes(8), **sizes)
    >>> writer = OpenWriter(header)
    >>> data = writer.begin([]) + writer.add(b"some", 30) + writer.add(b"more", 12) + writer.end()
    >>> stream = open_stream(data, letters="")
    >>> stream.amounts, stream.codes_of(1)
    ((30, 12), b'more')
    """

    def __init__(self, header: Header) -> None:
        if header.regions != 0:
            raise InputError(f"a stream of open length says 0 regions, got {header.regions}")
        self._writer = StreamWriter(header)
        self._checksum = b""
        self._parts: list[tuple[int, int]] = []

    def begin(self, side_chunks: Sequence[Chunk]) -> bytes:
        """What stands before the code chunks."""
        self._checksum = self._writer.begin([])[-4:]
        return self._writer.begin(side_chunks)

    def add(self, codes: bytes, amount: int) -> bytes:
        """The code chunk of the next region. amount: samples that it holds along the open axis."""
        chunk = self._writer.add(codes)
        self._parts.append((amount, len(chunk)))
        return chunk

    def end(self) -> bytes:
        """The index. Raises: InputError for a stream without regions."""
        if not self._parts:
            raise InputError("a stream holds one region at least")
        out = bytearray()
        append_varint(out, len(self._parts))
        for amount, size in self._parts:
            append_varint(out, amount)
            append_varint(out, size)
        for digits in range(1, 6):
            # The size says how long it is itself.
            size = 1 + digits + len(out) + _TAIL
            payload = bytes(out) + size.to_bytes(4, "little")
            chunk = pack_chunk(Chunk(INDEX, payload), self._checksum, len(self._parts))
            if len(chunk) == size:
                return chunk
        raise InputError("the index is too long")


@dataclass(frozen=True, eq=False)
class OpenStream:
    """What is known of such a stream before its regions are looked at.

    Attributes:
        header, side_chunks: its beginning.
        amounts: samples along the open axis of each region, as the index says; of a stream without
            an index, which was cut, what could be counted is None.
        starts: offsets of the code chunks.
    """

    header: Header
    side_chunks: tuple[Chunk, ...]
    amounts: tuple[int, ...] | None
    starts: tuple[int, ...]
    data: Readable
    checksum: bytes

    @property
    def is_whole(self) -> bool:
        """Whether its index is there."""
        return self.amounts is not None

    def __len__(self) -> int:
        return len(self.starts)

    def codes_of(self, number: int) -> bytes:
        """The payload of a region, checked. Raises: FormatError."""
        name = f"code chunk {number}"
        chunk, _ = unpack_chunk(
            self.data, self.starts[number], self.checksum, number=number, name=name
        )
        check_codes(chunk.type, number)
        return chunk.payload

    def whole_regions(self) -> Iterator[tuple[int, bytes]]:
        """The regions that are whole, each with its number; damaged ones are passed over."""
        for number in range(len(self.starts)):
            try:
                payload = self.codes_of(number)
            except (ChecksumError, TruncatedError):
                continue
            yield number, payload


def open_stream(
    data: Readable,
    limits: Limits = DEFAULT_LIMITS,
    *,
    letters: Collection[str],
    partial: bool = False,
) -> OpenStream:
    """Read the beginning of a stream of open length and its index; regions are not looked at.

    data: all of its bytes, or a `FileBytes`, which must stay open as long as the stream is used.
    partial: do without an index where it is missing or damaged, and find the regions one by one.

    Raises: as `read_stream`; TruncatedError if there is no index.
    """
    header, side_chunks, start, checksum = read_beginning(
        data, limits, letters=letters, open_length=True
    )
    try:
        amounts, starts = _index(data, start, checksum)
    except FormatError:
        if not partial:
            raise
        return OpenStream(header, side_chunks, None, _found(data, start), data, checksum)
    return OpenStream(header, side_chunks, amounts, starts, data, checksum)


@dataclass(frozen=True)
class CountedStream(Stream):
    """A stream of open length that was read whole. amounts: as the index says."""

    amounts: tuple[int, ...]


def whole_stream(stream: OpenStream, *, partial: bool = False) -> Stream:
    """Read all regions of a stream, and check them.

    partial: take those that are whole, a `PartialStream`.
    Raises: FormatError, of the first one that is damaged, or if none is whole.
    """
    header, chunks, count = stream.header, stream.side_chunks, len(stream)
    if partial:
        found = dict(stream.whole_regions())
        if not found:
            stream.codes_of(0)
        return PartialStream(header, chunks, tuple(found.values()), tuple(found))
    assert stream.amounts is not None
    codes = tuple(stream.codes_of(number) for number in range(count))
    return CountedStream(header, chunks, codes, stream.amounts)


def _index(data: Readable, start: int, checksum: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Amounts and offsets of the code chunks, as the index says."""
    cut = TruncatedError("the stream ends before its index: it was cut, or is still being written")
    if len(data) < start + _TAIL:
        raise cut
    size = int.from_bytes(data[len(data) - _TAIL : len(data) - 4], "little")
    begin = len(data) - size
    if begin < start or data[begin] != ord(INDEX):
        raise cut
    # Only now is it known how many chunks come before it, which its checksum needs.
    _, body = read_varint(data, begin + 1, "the length of the index")
    count, at = read_varint(data, body, "the number of code chunks")
    chunk, end = unpack_chunk(data, begin, checksum, number=count, name="the index")
    payload = chunk.payload
    at -= body
    if end != len(data) or 2 * count > len(payload):
        raise CorruptError(f"the index says {count} code chunks in {len(payload)} bytes")
    amounts, starts, place = [], [], start
    for number in range(count):
        amount, at = read_varint(payload, at, f"what code chunk {number} holds")
        length, at = read_varint(payload, at, f"the size of code chunk {number}")
        amounts.append(amount)
        starts.append(place)
        place += length
    if at + 4 != len(payload) or place != begin or not count or 0 in amounts:
        raise CorruptError("the index does not fit the stream")
    if sum(amounts) > MAX_VARINT:
        raise CorruptError(f"the index says {sum(amounts)} samples along an axis")
    return tuple(amounts), tuple(starts)


def _found(data: Readable, start: int) -> tuple[int, ...]:
    """Offsets of the code chunks, found by the length that each one declares."""
    starts: list[int] = []
    while start < len(data) and data[start] == ord(CODES):
        try:
            end = chunk_end(data, start, f"code chunk {len(starts)}")
        except FormatError:
            break
        if end > len(data):
            break
        starts.append(start)
        start = end
    if not starts:
        raise TruncatedError("the data ends before its first code chunk does: nothing is left")
    return tuple(starts)
