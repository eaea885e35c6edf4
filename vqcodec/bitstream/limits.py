"""How much a stream may declare before a reader refuses it."""

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits", "limits_of"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that a reader accepts; checked before any memory is taken for it.

    max_samples: the product of the extent, whatever the channels.
    max_metadata_bytes: one optional chunk, as it stands in the stream and after inflation.
    max_side_chunks: chunks that are not code chunks.
    """

    max_samples: int = 2**28
    max_metadata_bytes: int = 2**24
    max_side_chunks: int = 256


DEFAULT_LIMITS = Limits()


def limits_of(max_samples: int | None) -> Limits:
    """The default limits, or those with another number of samples.

    >>> limits_of(1000).max_samples
    1000
    """
    return DEFAULT_LIMITS if max_samples is None else Limits(max_samples=max_samples)
