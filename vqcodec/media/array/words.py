"""Numbers of any dtype as integers in the same order, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["numbers_of", "parts_of", "values_of", "words_of"]


def words_of(numbers: NDArray[Any]) -> NDArray[np.int64]:
    """Integers that are ordered as the numbers are, one for each pattern of bits.

    Floats: their bits, such that neighbours differ by 1; -0.0 lies one below 0.0.

    >>> words_of(np.array([-1e-45, -0.0, 0.0, 1e-45], np.float32))
    array([-2, -1,  0,  1])
    """
    kind, size = numbers.dtype.kind, numbers.dtype.itemsize
    if kind == "f":
        bits = numbers.view(f"i{size}").astype(np.int64)
        return _flipped(bits, size)
    if kind == "u" and size == 8:
        return numbers.view(np.int64) ^ np.int64(-(2**63))
    return numbers.astype(np.int64)


def numbers_of(words: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What `words_of` was given."""
    if dtype.kind == "f":
        return _flipped(words, dtype.itemsize).astype(f"i{dtype.itemsize}").view(dtype)
    if dtype.kind == "u" and dtype.itemsize == 8:
        return (words ^ np.int64(-(2**63))).view(dtype)
    return words.astype(dtype)


def parts_of(values: NDArray[Any]) -> NDArray[Any]:
    """Values in native order, C order; the two parts of complex ones as a first axis."""
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    if native.dtype.kind != "c":
        return native.reshape(values.shape)
    return np.stack([native.real, native.imag]).reshape(2, *values.shape)


def values_of(parts: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What `parts_of` was given."""
    if dtype.kind != "c":
        return parts
    values = np.empty(parts.shape[1:], dtype)
    values.real, values.imag = parts
    return values


def _flipped(bits: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Of negative ones all bits but the sign are turned; its own inverse."""
    turned: NDArray[np.int64] = bits ^ ((bits >> 63) & ((1 << (8 * size - 1)) - 1))
    return turned
