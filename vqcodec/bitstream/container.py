"""A whole stream: header, side chunks, then one code chunk for each region, and nothing more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vqcodec.bitstream.chunk import CODES, Chunk, check_codes, pack_chunk, unpack_chunk
from vqcodec.bitstream.header import MAX_HEADER_BYTES, Header, pack_header, unpack_header
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.bitstream.varint import MAX_VARINT, Readable
from vqcodec.errors import (
    CorruptError,
    InputError,
    LimitError,
    TruncatedError,
    UnsupportedVersionError,
)

__all__ = [
    "Buffer",
    "Stream",
    "StreamWriter",
    "as_bytes",
    "read_beginning",
    "read_header",
    "read_stream",
    "write_stream",
]

Buffer = bytes | bytearray | memoryview

# A type, a length of one byte and a checksum: no chunk is shorter.
_SMALLEST_CHUNK = 6


@dataclass(frozen=True)
class Stream:
    """What a stream holds: its header, the side chunks in file order, a payload for each region.

    >>> sizes = {"extent": (640, 427), "channels": 3, "stages": 8, "regions": 1}
    >>> header = Header(medium=0, prior=0, fingerprint=bytes(8), **sizes)
    >>> data = write_stream(header, [Chunk("e", b"a fact")], [b"codes"])
    >>> read_stream(data, letters="e")
    Stream(header=Header(medium=0, extent=(640, 427), ...),
           side_chunks=(Chunk(type='e', payload=b'a fact'),), codes=(b'codes',))
    """

    header: Header
    side_chunks: tuple[Chunk, ...]
    codes: tuple[bytes, ...]

    def payload(self, chunk_type: str) -> bytes | None:
        """Return the payload of the first side chunk of a type, or None without one."""
        return next((c.payload for c in self.side_chunks if c.type == chunk_type), None)

    def codes_of(self, number: int) -> bytes | None:
        """Return the payload of a region; None where only a part of a stream was read."""
        return self.codes[number]


def write_stream(header: Header, side_chunks: Sequence[Chunk], codes: Sequence[bytes]) -> bytes:
    """Write a stream; the same arguments give the same bytes.

    side_chunks: what the medium keeps beside the codes, in the order in which it shall stand there.
    codes: the payload of each region, in order.
    Raises: InputError if the parts do not fit each other.
    """
    if len(codes) != header.regions or not codes:
        raise InputError(f"the header says {header.regions} regions, got {len(codes)} payloads")
    writer = StreamWriter(header)
    return b"".join([writer.begin(side_chunks), *(writer.add(code) for code in codes)])


class StreamWriter:
    """A stream, chunk by chunk: first `begin`, then `add` for each region in order.

    >>> sizes = {"extent": (640, 427), "channels": 3, "stages": 8, "regions": 1}
    >>> header = Header(medium=0, prior=0, fingerprint=bytes(8), **sizes)
    >>> writer = StreamWriter(header)
    >>> writer.begin([]) + writer.add(b"codes") == write_stream(header, [], [b"codes"])
    True
    """

    def __init__(self, header: Header) -> None:
        self._packed, self._region = pack_header(header), 0

    def begin(self, side_chunks: Sequence[Chunk]) -> bytes:
        """What stands before the code chunks. Raises: InputError for a code chunk among them."""
        for chunk in side_chunks:
            if chunk.type == CODES:
                raise InputError(f"a side chunk cannot be of type {CODES!r}")
        checksum = self._packed[-4:]
        return b"".join([self._packed, *(pack_chunk(chunk, checksum, 0) for chunk in side_chunks)])

    def add(self, codes: bytes) -> bytes:
        """The code chunk of the next region."""
        self._region += 1
        return pack_chunk(Chunk(CODES, codes), self._packed[-4:], self._region - 1)


def read_header(data: Buffer, limits: Limits = DEFAULT_LIMITS) -> Header:
    """Read the header alone, also of a stream of open length; what follows it is not looked at.

    Raises: as unpack_header.
    """
    return unpack_header(as_bytes(data), limits, open_length=True)[0]


def read_stream(
    data: Buffer, limits: Limits = DEFAULT_LIMITS, *, letters: Collection[str]
) -> Stream:
    """Read a whole stream and check every byte of it; payloads are not decoded.

    letters: types of the side chunks that the stream's medium knows; each may stand there once.
    Raises: every kind of FormatError. TruncatedError if it ends early, ChecksumError if it is
    damaged, CorruptError for a contradiction or for bytes behind its end, LimitError before
    memory is taken for more than the limits allow.
    """
    data = as_bytes(data)
    header, side_chunks, start, checksum = read_beginning(data, limits, letters=letters)
    codes, start = _read_codes(data, start, checksum, header.regions)
    if start != len(data):
        raise CorruptError(f"{len(data) - start} bytes follow the end of the stream")
    return Stream(header, side_chunks, codes)


def read_beginning(
    data: Readable,
    limits: Limits,
    *,
    letters: Collection[str],
    whole: bool = True,
    open_length: bool = False,
) -> tuple[Header, tuple[Chunk, ...], int, bytes]:
    """Read what stands before the code chunks of a stream.

    whole: refuse data that is too short for all of these at once. open_length: the stream is one
    whose header does not say how many there are.
    Returns: header, side chunks, the offset of the first code chunk, and the header's checksum.
    Raises: as read_stream.
    """
    header, start = unpack_header(data[:MAX_HEADER_BYTES], limits, open_length=open_length)
    if open_length and header.regions:
        raise CorruptError(f"the header says {header.regions} regions of a stream of open length")
    checksum = data[start - 4 : start]
    if whole and len(data) - start < header.regions * _SMALLEST_CHUNK:
        raise TruncatedError(
            f"the data ends early: {len(data) - start} bytes cannot hold {header.regions} code "
            "chunks"
        )
    side_chunks, start = _read_side_chunks(data, start, checksum, limits)
    if start == len(data):
        count = f"the first of {header.regions} code chunks" if header.regions else "a code chunk"
        raise TruncatedError(f"the data ends before {count}")
    _check_side_chunks(side_chunks, letters)
    return header, side_chunks, start, checksum


def as_bytes(data: Buffer) -> bytes:
    """Return the data as bytes, or raise InputError for an object that is not a buffer."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"a stream is bytes, bytearray or memoryview, got {type(data).__name__}")
    return bytes(data)


def _read_side_chunks(
    data: Readable, start: int, checksum: bytes, limits: Limits
) -> tuple[tuple[Chunk, ...], int]:
    """Read the chunks before the first code chunk; return them and the offset behind them."""
    chunks: list[Chunk] = []
    while start < len(data) and data[start] != ord(CODES):
        if len(chunks) == limits.max_side_chunks:
            raise LimitError(f"more than {limits.max_side_chunks} chunks before the codes")
        # Small letters mark facts beside the samples; what capital ones mark may be as large.
        critical = chr(data[start]).isupper()
        chunk, start = unpack_chunk(
            data,
            start,
            checksum,
            number=0,
            name=f"chunk {len(chunks)}",
            max_bytes=MAX_VARINT if critical else limits.max_metadata_bytes,
        )
        chunks.append(chunk)
    return tuple(chunks), start


def _check_side_chunks(chunks: Sequence[Chunk], letters: Collection[str]) -> None:
    """Refuse an unknown critical chunk, and a known one that stands there twice."""
    types = [chunk.type for chunk in chunks]
    for chunk in chunks:
        if chunk.is_critical and chunk.type not in letters:
            raise UnsupportedVersionError(
                f"a chunk of the unknown critical type {chunk.type!r} needs a newer vqcodec"
            )
        if chunk.type in letters and types.count(chunk.type) > 1:
            raise CorruptError(
                f"the stream has {types.count(chunk.type)} chunks of type {chunk.type!r}"
            )


def _read_codes(
    data: bytes, start: int, checksum: bytes, regions: int
) -> tuple[tuple[bytes, ...], int]:
    """Read one code chunk for each region; return the payloads and the offset behind them."""
    codes: list[bytes] = []
    for region in range(regions):
        if start >= len(data):
            raise TruncatedError(f"the data ends after {region} of {regions} code chunks")
        chunk, start = unpack_chunk(
            data, start, checksum, number=region, name=f"code chunk {region}"
        )
        check_codes(chunk.type, region)
        codes.append(chunk.payload)
    return tuple(codes), start
