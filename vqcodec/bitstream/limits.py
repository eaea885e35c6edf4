"""How much a stream may declare before a reader refuses it."""

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that a reader accepts; checked before any memory is taken for it.

    max_pixels: width x height of the picture. max_metadata_bytes: one metadata chunk, as it
    stands in the stream and after inflation. max_side_chunks: chunks that are not code chunks.
    """

    max_pixels: int = 2**28
    max_metadata_bytes: int = 2**24
    max_side_chunks: int = 256


DEFAULT_LIMITS = Limits()
