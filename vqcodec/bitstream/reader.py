"""A stream whose bytes come bit by bit."""

from collections.abc import Collection

from vqcodec.bitstream.chunk import CODES, Chunk, unpack_chunk
from vqcodec.bitstream.container import Buffer, as_bytes, read_beginning
from vqcodec.bitstream.header import Header
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.errors import CorruptError, TruncatedError

__all__ = ["StreamReader"]


class StreamReader:
    """Takes bytes as they come and gives each region's payload once it is whole and checked.

    Args:
        letters: types of the side chunks that the stream's medium knows.

    Attributes:
        header, side_chunks: None and empty until they are there.

    >>> from vqcodec.bitstream import write_stream
    >>> sizes = {"extent": (640, 427), "channels": 3, "stages": 8, "regions": 2}
    >>> header = Header(medium=0, prior=0, fingerprint=bytes(8), **sizes)
    >>> data = write_stream(header, [], [b"first", b"second"])
    >>> reader = StreamReader(letters="")
    >>> [reader.push(data[:30]), reader.push(data[30:])]
    [[], [b'first', b'second']]
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, letters: Collection[str]) -> None:
        self.header: Header | None = None
        self.side_chunks: tuple[Chunk, ...] = ()
        self._limits, self._letters = limits, letters
        self._waiting, self._checksum, self._region = b"", b"", 0
        self._why = TruncatedError("empty file")

    def push(self, data: Buffer) -> list[bytes]:
        """Take bytes; give the payloads that they complete.

        Raises:
            FormatError: as `read_stream`, as soon as it shows; what is not there yet is no error.
        """
        self._waiting += as_bytes(data)
        try:
            if self.header is None:
                self._begin()
            return self._payloads()
        except TruncatedError as error:
            self._why = error
            return []

    def close(self) -> None:
        """Raise TruncatedError unless the stream was whole."""
        if self.header is None or self._region < self.header.regions:
            raise self._why

    def _begin(self) -> None:
        """Read header and side chunks; until a code chunk begins there may be more of these."""
        header, side_chunks, start, checksum = read_beginning(
            self._waiting, self._limits, letters=self._letters, whole=False
        )
        self.header, self.side_chunks, self._checksum = header, side_chunks, checksum
        self._waiting = self._waiting[start:]

    def _payloads(self) -> list[bytes]:
        assert self.header is not None
        found, start = [], 0
        while start < len(self._waiting):
            if self._region == self.header.regions:
                left = len(self._waiting) - start
                raise CorruptError(f"{left} bytes follow the end of the stream")
            name = f"code chunk {self._region}"
            try:
                chunk, start = unpack_chunk(
                    self._waiting, start, self._checksum, number=self._region, name=name
                )
            except TruncatedError as error:
                self._why = error
                break
            if chunk.type != CODES:
                raise CorruptError(f"{name} expected, found one of type {chunk.type!r}")
            found.append(chunk.payload)
            self._region += 1
        else:
            self._why = TruncatedError(f"the data ends after {self._region} code chunks")
        self._waiting = self._waiting[start:]
        return found
