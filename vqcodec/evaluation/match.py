"""The best that another codec does with a given number of bytes."""

from __future__ import annotations

from typing import Any

from vqcodec.media.workshop import Contestant

__all__ = ["match_size"]


def match_size(
    contestant: Contestant, signal: Any, limit: int, *, lowest: int = 0, highest: int = 100
) -> tuple[int, bytes]:
    """The quality whose file is the largest of at most `limit` bytes, found by bisection.

    lowest, highest: whole-numbered qualities between which sizes grow. Where even the lowest
    takes more than `limit` bytes, that one is returned: a caller who minds compares lengths.

    Returns: the quality and the bytes of the file.

    >>> codec = Contestant(
    ...     name="zeros", version="1", settings="none", ladder=(),
    ...     encode=lambda signal, quality: bytes(10 * int(quality)), decode=len,
    ... )
    >>> quality, data = match_size(codec, None, 444)
    >>> quality, len(data)
    (44, 440)
    """
    best = (lowest, contestant.encode(signal, lowest))
    low, high = lowest + 1, highest
    while low <= high:
        middle = (low + high) // 2
        data = contestant.encode(signal, middle)
        if contestant.size(data) <= limit:
            best, low = (middle, data), middle + 1
        else:
            high = middle - 1
    return best
