"""What a stream of a field carries beside its codes: kind of numbers, and which are missing."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import DEFAULT_LIMITS, Chunk, Header, Stream, inflated_chunk
from vqcodec.errors import CorruptError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DTYPES", "MAX_CHANNELS", "MISSING", "NUMBERS", "Numbers", "missing_of", "numbers_of"]

NUMBERS = "N"
MISSING = "M"
MAX_CHANNELS = 256

# Number in the file -> name.
DTYPES = (
    *("int8", "int16", "int32", "uint8", "uint16", "uint32"),
    *("float16", "float32", "float64"),
)


@dataclass(frozen=True)
class Numbers:
    """dtype: the name of the numbers' type. axes: of the array, 2 or 3, the channels' among them.

    >>> Numbers("float32", 3).pack().hex()
    '0703'
    """

    dtype: str
    axes: int

    def pack(self) -> bytes:
        """The payload."""
        return bytes((DTYPES.index(self.dtype), self.axes))


def numbers_of(header: Header, side_chunks: Sequence[Chunk]) -> Numbers:
    """What the numbers of a stream are.

    Raises:
        CorruptError: it does not say, says what is not so, or integers are missing.
    """
    found = {chunk.type: chunk.payload for chunk in side_chunks}
    payload = found.get(NUMBERS)
    if payload is None or len(payload) != 2:
        raise CorruptError("a field lacks two bytes that say what its numbers are")
    kind, axes = payload
    if kind >= len(DTYPES) or axes not in (2, 3) or (axes == 2 and header.channels != 1):
        raise CorruptError(
            f"a field of {header.channels} channels says dtype {kind} and {axes} axes"
        )
    if MISSING in found and not DTYPES[kind].startswith("float"):
        raise CorruptError(f"a field of {DTYPES[kind]} cannot lack values")
    return Numbers(DTYPES[kind], axes)


def pack_missing(missing: NDArray[np.bool_]) -> bytes:
    """The payload of a mask (C, H, W): one plane where all channels lack the same values."""
    import numpy as np

    planes = missing[:1] if (missing == missing[:1]).all() else missing
    packed = b"".join(np.packbits(plane).tobytes() for plane in planes)
    return zlib.compress(packed, 9)


def missing_of(stream: Stream) -> NDArray[Any] | None:
    """Where values are missing, bool (C, H, W) or (1, H, W) for all channels; None if nowhere.

    Raises:
        CorruptError: the mask is not of this extent. LimitError: it is larger.
    """
    import numpy as np

    header = stream.header
    rows, columns = header.extent
    plane = -(-rows * columns // 8)
    limits = dataclasses.replace(DEFAULT_LIMITS, max_metadata_bytes=header.channels * plane)
    raw = inflated_chunk(stream, MISSING, limits)
    if raw is None:
        return None
    if len(raw) not in (plane, header.channels * plane):
        raise CorruptError(f"a mask of {len(raw)} bytes is none of {header.extent}")
    packed = np.frombuffer(raw, np.uint8).reshape(-1, plane)
    bits = np.unpackbits(packed, axis=1, count=rows * columns)
    return bits.reshape(-1, rows, columns).astype(bool)
