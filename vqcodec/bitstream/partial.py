"""What is left of a stream that was cut or damaged: its beginning, and whole regions."""

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass

from vqcodec.bitstream.chunk import CODES, chunk_end, unpack_chunk
from vqcodec.bitstream.container import Buffer, Stream, as_bytes, read_beginning
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.errors import ChecksumError, FormatError

__all__ = ["PartialStream", "read_partial_stream"]


@dataclass(frozen=True)
class PartialStream(Stream):
    """A stream of which only some regions are there.

    codes: the payloads of these. numbers: which regions they are, rising.

    >>> from vqcodec.bitstream import Header, write_stream
    >>> sizes = {"extent": (640, 427), "channels": 3, "stages": 8, "regions": 3}
    >>> header = Header(medium=0, prior=0, fingerprint=bytes(8), **sizes)
    >>> data = write_stream(header, [], [b"first", b"second", b"third"])
    >>> left = read_partial_stream(data[:-1], letters="")
    >>> left.numbers, left.codes_of(1), left.codes_of(2)
    ((0, 1), b'second', None)
    """

    numbers: tuple[int, ...]

    def codes_of(self, number: int) -> bytes | None:
        """The payload of a region, None if it is not there."""
        place = bisect_left(self.numbers, number)
        found = place < len(self.numbers) and self.numbers[place] == number
        return self.codes[place] if found else None


def read_partial_stream(
    data: Buffer, limits: Limits = DEFAULT_LIMITS, *, letters: Collection[str]
) -> PartialStream:
    """Read what is whole of a stream: every checksum of what is taken was right.

    Header and side chunks must be whole. A code chunk that is damaged is passed over by the length
    that it declares; where that leads to none, and where the data ends, nothing further is there.
    Memory is taken for what is there, whatever the header says.

    Raises: as read_stream, for header and side chunks, and where no region at all is whole.
    """
    data = as_bytes(data)
    header, side_chunks, start, checksum = read_beginning(
        data, limits, letters=letters, whole=False
    )
    found: dict[int, bytes] = {}
    wrong: FormatError | None = None
    for number in range(header.regions):
        if start >= len(data) or data[start] != ord(CODES):
            break
        name = f"code chunk {number}"
        try:
            chunk, start = unpack_chunk(data, start, checksum, number=number, name=name)
            found[number] = chunk.payload
        except ChecksumError as error:
            wrong = wrong or error
            start = chunk_end(data, start, name)
        except FormatError as error:
            wrong = wrong or error
            break
    if not found:
        # The first code chunk begins where the beginning ends, so it is what is wrong.
        assert wrong is not None
        raise wrong
    return PartialStream(header, side_chunks, tuple(found.values()), tuple(found))
