"""A stream in a file that can seek: of its code chunks only those are read that are asked for."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol, overload

from vqcodec.bitstream.chunk import check_codes, chunk_end, unpack_chunk
from vqcodec.bitstream.container import Stream, read_beginning
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.errors import TruncatedError

__all__ = ["FileBytes", "SeekableFile", "SoughtStream", "seek_stream"]

# What is read where one byte is asked for: no head of a chunk is longer, and none is shorter.
_HEAD_BYTES = 6


class SeekableFile(Protocol):
    """A file of bytes that can be read at any place."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""

    def tell(self) -> int:
        """The place."""


class FileBytes:
    """The bytes of a file from where it stands on, read when they are looked at.

    >>> import io
    >>> data = FileBytes(io.BytesIO(b"some bytes"))
    >>> len(data), data[0], data[5:]
    (10, 115, b'bytes')
    """

    def __init__(self, file: SeekableFile) -> None:
        self._file, self._begin = file, file.tell()
        self._length = max(0, file.seek(0, 2) - self._begin)
        self._head, self._head_start = b"", 0

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> bytes: ...
    def __getitem__(self, place: int | slice) -> int | bytes:
        """One byte, or those of a slice; raises TruncatedError if the file was cut meanwhile."""
        if isinstance(place, slice):
            start, stop, _ = place.indices(self._length)
            return self._read(start, max(0, stop - start))
        within = place - self._head_start
        if not 0 <= within < len(self._head):
            self._head = self._read(place, min(_HEAD_BYTES, self._length - place))
            self._head_start, within = place, 0
        return self._head[within]

    def _read(self, start: int, count: int) -> bytes:
        self._file.seek(self._begin + start)
        parts: list[bytes] = []
        while count > 0:
            part = self._file.read(count)
            if not part:
                raise TruncatedError("the file has become shorter while it was read")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


@dataclass(frozen=True, eq=False)
class SoughtStream(Stream):
    """A stream whose payloads are read from its file when they are asked for, and checked then.

    codes: empty; see `codes_of`, which any thread may call as long as the file is open.

    >>> import io
    >>> from vqcodec.bitstream import Header, write_stream
    >>> sizes = {"extent": (640, 427), "channels": 3, "stages": 8, "regions": 3}
    >>> header = Header(medium=0, prior=0, fingerprint=bytes(8), **sizes)
    >>> data = write_stream(header, [], [b"first", b"second", b"third"])
    >>> seek_stream(FileBytes(io.BytesIO(data)), letters="").codes_of(1)
    b'second'
    """

    data: FileBytes
    # Where the code chunks begin that were passed so far, and what their checksums begin with.
    starts: list[int]
    checksum: bytes
    lock: threading.Lock = field(default_factory=threading.Lock)

    def codes_of(self, number: int) -> bytes:
        """The payload of a region, of which the chunks before it are passed over by their length.

        Raises: as read_stream, for this chunk and for what leads to it.
        """
        name = f"code chunk {number}"
        with self.lock:
            while len(self.starts) <= number:
                self._pass(len(self.starts) - 1)
            chunk, _ = unpack_chunk(
                self.data, self.starts[number], self.checksum, number=number, name=name
            )
        check_codes(chunk.type, number)
        return chunk.payload

    def _pass(self, number: int) -> None:
        start, name = self.starts[number], f"code chunk {number}"
        check_codes(chr(self.data[start]), number)
        end = chunk_end(self.data, start, name)
        if end >= len(self.data):
            raise TruncatedError(
                f"the data ends after {number} of {self.header.regions} code chunks"
            )
        self.starts.append(end)


def seek_stream(
    data: FileBytes, limits: Limits = DEFAULT_LIMITS, *, letters: Collection[str]
) -> SoughtStream:
    """Read header and side chunks of a stream, and check these; its code chunks are not looked at.

    The file must stay open as long as the stream is used.

    Raises: as read_stream, for what is read.
    """
    header, side_chunks, start, checksum = read_beginning(data, limits, letters=letters)
    return SoughtStream(header, side_chunks, (), data, [start], checksum)
