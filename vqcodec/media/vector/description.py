"""What a stream says of its vectors besides the codes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vqcodec.errors import CorruptError
from vqcodec.media.packing import Reader, Writer
from vqcodec.media.vector.letters import DTYPES

__all__ = ["MAX_BLOCK", "Description", "pack_description", "unpack_description"]

MAX_BLOCK = 2**20


@dataclass(frozen=True, kw_only=True)
class Description:
    """dtype: name of what was given. block: vectors whose codes stand in one payload.

    error: the mean of ||decoded - original||^2. spread: the mean of ||original - mean||^2.
    """

    dtype: str
    block: int
    error: float
    spread: float


def pack_description(d: Description) -> bytes:
    """Write a description."""
    out = Writer()
    out.byte(DTYPES.index(d.dtype))
    out.number(d.block)
    out.real(d.error)
    out.real(d.spread)
    return bytes(out.data)


def unpack_description(data: bytes) -> Description:
    """Read a description. Raises: CorruptError: none that an encoder writes.

    >>> said = Description(dtype="float16", block=4096, error=0.25, spread=1.0)
    >>> unpack_description(pack_description(said)) == said
    True
    """
    read = Reader(data, "the description of the vectors")
    number, block, error, spread = read.byte(), read.number(), read.real(), read.real()
    read.finish()
    if number >= len(DTYPES) or not 1 <= block <= MAX_BLOCK:
        raise CorruptError(f"vectors of dtype {number} in blocks of {block}")
    if not (0 <= error < math.inf and 0 <= spread < math.inf):
        raise CorruptError(f"vectors of error {error} and spread {spread}")
    return Description(dtype=DTYPES[number], block=block, error=error, spread=spread)
