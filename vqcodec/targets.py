"""Finding the quality that meets a number of bytes or of decibels."""

from __future__ import annotations

from collections.abc import Callable

from vqcodec.errors import InputError

__all__ = ["fit_psnr", "fit_size"]

# Half the width of a search around a quality that comes close.
_NEAR = 1.5


def fit_size(
    encode: Callable[[float], bytes],
    target: int,
    *,
    near: float | None = None,
    tolerance: float = 0.005,
    tries: int = 12,
) -> tuple[float, bytes]:
    """Find the highest quality whose stream is not larger than `target` bytes, by bisection.

    Stops when the stream is within `tolerance` of the target, or after so many tries.

    Args:
        near: a quality that is known to come close: the search begins around it.

    Returns:
        the quality and its stream.

    Raises:
        InputError: even quality 0 takes more.
    """
    low, high = _bracket(near)
    best = (low, encode(low))
    if len(best[1]) > target:
        if low > 0:
            return fit_size(encode, target, tolerance=tolerance, tries=tries)
        raise InputError(f"{target} bytes are too few: the smallest stream takes {len(best[1])}")
    largest = encode(high)
    if len(largest) <= target:
        if high == 100:
            return high, largest
        return fit_size(encode, target, tolerance=tolerance, tries=tries)
    for _ in range(tries):
        if target * (1 - tolerance) <= len(best[1]) <= target:
            break
        middle = (low + high) / 2
        stream = encode(middle)
        if len(stream) <= target:
            low, best = middle, max(best, (middle, stream), key=lambda found: len(found[1]))
        else:
            high = middle
    return best


def fit_psnr(measure: Callable[[float], float], target: float, *, tries: int = 10) -> float:
    """Find the lowest quality at which a measure that grows with quality reaches a target.

    Raises:
        InputError: quality 100 does not reach it.
    """
    best = measure(100.0)
    if best < target:
        raise InputError(f"{target} dB cannot be reached: quality 100 gives {best:.2f} dB")
    low, high = 0.0, 100.0
    if measure(low) >= target:
        return low
    for _ in range(tries):
        middle = (low + high) / 2
        if measure(middle) >= target:
            high = middle
        else:
            low = middle
    return high


def _bracket(near: float | None) -> tuple[float, float]:
    """Qualities to search between."""
    if near is None:
        return 0.0, 100.0
    return max(0.0, near - _NEAR), min(100.0, near + _NEAR)
