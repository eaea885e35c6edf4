"""The sizes of a codebook, which are judged before memory is taken, and without NumPy."""

from __future__ import annotations

from dataclasses import dataclass

from vqcodec.errors import CorruptError
from vqcodec.media.packing import Reader, Writer
from vqcodec.media.vector.letters import MAX_DIM

__all__ = [
    "MAX_COMPONENTS",
    "MAX_ENTRIES",
    "MAX_SIZE",
    "MAX_STAGES",
    "CodebookHead",
    "head_of",
    "most_stages",
    "pack_head",
    "unpack_head",
]

# What a search takes, what a header holds, and what a reader has memory for.
MAX_COMPONENTS = 1024
MAX_STAGES = 64
MAX_SIZE = 4096
MAX_ENTRIES = 2**26
# Vectors stay within float32.
MAX_UNIT = 2.0**50


# Codes take no more memory than the numbers do that they stand for.
_STAGES_OF_A_NUMBER = 4


def most_stages(dim: int) -> int:
    """The most stages of codes that vectors of so many numbers may have.

    >>> most_stages(1), most_stages(384)
    (4, 64)
    """
    return min(MAX_STAGES, _STAGES_OF_A_NUMBER * dim)


@dataclass(frozen=True, kw_only=True)
class CodebookHead:
    """dim: D. components: d. stages: S. size: K, codes of a stage. unit: see `Codebook`."""

    dim: int
    components: int
    stages: int
    size: int
    unit: float


def pack_head(out: Writer, head: CodebookHead) -> None:
    """Write the head of a codebook."""
    for number in (head.dim, head.components, head.stages, head.size):
        out.number(number)
    out.real(head.unit)


def unpack_head(read: Reader) -> CodebookHead:
    """Read the head of a codebook. Raises: CorruptError."""
    dim, components, stages, size = (read.number() for _ in range(4))
    head = CodebookHead(dim=dim, components=components, stages=stages, size=size, unit=read.real())
    if (
        not 1 <= dim <= MAX_DIM
        or not 1 <= components <= min(dim, MAX_COMPONENTS)
        or not 1 <= stages <= MAX_STAGES
        or not 1 <= size <= MAX_SIZE
        or stages * size * components > MAX_ENTRIES
        or not 0 < head.unit <= MAX_UNIT
    ):
        raise CorruptError(f"a codebook that no encoder writes: {head}")
    return head


def head_of(packed: bytes) -> CodebookHead:
    """The sizes of a packed codebook. Raises: CorruptError."""
    return unpack_head(Reader(packed, "the codebook of the vectors"))
