"""Integers to bytes and back, exactly, or drawn by chance: the range coder behind every prior.

Encoding is native (C++). Decoding is native too, or with backend="numpy" in Python integers:
slower, the same result, for a machine without the compiled extension.
"""

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain import range_decoder as entropy_numpy
from vqcodec_kernels.errors import BackendError, CorruptPayloadError, InvalidInputError

__all__ = [
    "decode_decisions",
    "decode_symbols",
    "encode_decisions",
    "encode_symbols",
    "sample_symbols",
]

_MAX_BITS = 16


def encode_symbols(
    symbols: NDArray[np.int64], cumulative: NDArray[np.uint32], *, bits: int
) -> bytes:
    """Code each row of symbols through its own frequency table.

    symbols: int64 (R, N), each in [0, K). cumulative: uint32 (R, K + 1), each row strictly rising
    from 0 to 2^bits, bits in [1, 16]; symbol k takes cumulative[k + 1] - cumulative[k] of 2^bits.
    The payload is at most one byte longer than the information in the symbols, plus 2^-8 of a bit
    for each symbol. Raises InvalidInputError, BackendError.

    >>> table = np.array([[0, 128, 192, 256]], np.uint32)
    >>> encode_symbols(np.array([[0, 2, 0, 1, 0]]), table, bits=8)
    b'h'
    """
    _check_tables(cumulative, bits)
    _check_array(symbols, np.int64, 2, "symbols")
    if len(symbols) != len(cumulative):
        raise InvalidInputError(f"{len(symbols)} rows of symbols, {len(cumulative)} tables")
    size = cumulative.shape[1] - 1
    if symbols.size and not (symbols.min() >= 0 and symbols.max() < size):
        raise InvalidInputError(
            f"symbols must be in [0, {size}), got {symbols.min()} to {symbols.max()}"
        )
    payload: bytes = native().encode_symbols(np.ascontiguousarray(symbols), cumulative, bits)
    return payload


def decode_symbols(
    payload: bytes,
    cumulative: NDArray[np.uint32],
    *,
    bits: int,
    columns: int,
    rows: int | None = None,
    backend: str | None = None,
) -> NDArray[np.int64]:
    """Read back what encode_symbols wrote: int64 (R, columns), each in [0, K).

    rows: read the first so many alone; what follows them in the payload is not looked at.

    Raises CorruptPayloadError for a payload that encode_symbols does not write for any symbols,
    InvalidInputError, BackendError.

    >>> table = np.array([[0, 128, 192, 256]], np.uint32)
    >>> decode_symbols(b"h", table, bits=8, columns=5)
    array([[0, 2, 0, 1, 0]])
    """
    _check_tables(cumulative, bits)
    if columns < 0:
        raise InvalidInputError(f"columns must not be negative, got {columns}")
    rows = check_first(rows, len(cumulative), "rows")
    if cumulative.shape[1] > 2:
        check_capacity(payload, len(cumulative) * columns)
    symbols: NDArray[np.int64] = choose_decoder(backend, entropy_numpy).decode_symbols(
        bytes(payload), cumulative, bits, columns, rows
    )
    return symbols


def sample_symbols(
    given: NDArray[np.int64],
    cumulative: NDArray[np.uint32],
    *,
    bits: int,
    seed: int,
    backend: str | None = None,
) -> NDArray[np.int64]:
    """Draw symbols by the frequencies that encode_symbols codes them with.

    given: int64 (R, N), each below K; those below 0 are drawn, the others stay. seed: in [0, 2^64);
    the same one draws the same symbols everywhere. Returns int64 (R, N). Raises InvalidInputError,
    BackendError.

    >>> table = np.array([[0, 128, 192, 256]], np.uint32)
    >>> sample_symbols(np.array([[-1, -1, 2, -1, -1]]), table, bits=8, seed=1)
    array([[1, 1, 2, 2, 0]])
    """
    _check_tables(cumulative, bits)
    _check_array(given, np.int64, 2, "given")
    check_seed(seed)
    if len(given) != len(cumulative) or (given.size and given.max() >= cumulative.shape[1] - 1):
        raise InvalidInputError(
            f"given must be {len(cumulative)} rows below {cumulative.shape[1] - 1}, "
            f"got {given.shape} up to {given.max(initial=-1)}"
        )
    symbols: NDArray[np.int64] = choose_decoder(backend, entropy_numpy).sample_symbols(
        np.ascontiguousarray(given), cumulative, bits, seed
    )
    return symbols


def encode_decisions(bits: NDArray[np.uint8], ones: NDArray[np.uint16]) -> bytes:
    """Code bits of given probabilities.

    bits: uint8 (N,), 0 or 1. ones: uint16 (N,), the probability of 1 in units of 2^-16, from 1 to
    65535. Raises InvalidInputError, BackendError.

    >>> bits, ones = np.array([0, 1, 1], np.uint8), np.array([32768, 50000, 60000], np.uint16)
    >>> encode_decisions(bits, ones).hex()
    '80'
    """
    _check_array(bits, np.uint8, 1, "bits")
    _check_ones(ones)
    if bits.shape != ones.shape or (bits.size and bits.max() > 1):
        raise InvalidInputError(f"bits must be {len(ones)} of 0 or 1, got {bits.shape = }")
    payload: bytes = native().encode_decisions(
        np.ascontiguousarray(bits), np.ascontiguousarray(ones)
    )
    return payload


def decode_decisions(
    payload: bytes, ones: NDArray[np.uint16], *, backend: str | None = None
) -> NDArray[np.uint8]:
    """Read back what encode_decisions wrote: uint8 (N,), 0 or 1.

    Raises CorruptPayloadError, InvalidInputError, BackendError.

    >>> ones = np.array([32768, 50000, 60000], np.uint16)
    >>> decode_decisions(bytes.fromhex("80"), ones)
    array([0, 1, 1], dtype=uint8)
    """
    _check_ones(ones)
    bits: NDArray[np.uint8] = choose_decoder(backend, entropy_numpy).decode_decisions(
        bytes(payload), np.ascontiguousarray(ones)
    )
    return bits


def native() -> ModuleType:
    """Return the compiled extension. Raises BackendError."""
    try:
        from vqcodec_kernels import _entropy
    except ImportError as error:
        raise BackendError(
            f"the compiled entropy coder is not installed ({error}); "
            'backend="numpy" decodes without it'
        ) from error
    return _entropy


def choose_decoder(backend: str | None, twin: ModuleType) -> ModuleType:
    """Return the module that decodes: the extension, or its twin. Raises BackendError."""
    if backend is None or backend == "native":
        return native()
    if backend == "numpy":
        return twin
    raise BackendError(f'backend must be "native" or "numpy", got {backend!r}')


def check_capacity(payload: bytes, count: int) -> None:
    """Raise CorruptPayloadError for more codes than a payload can hold, before memory is taken.

    A code that is not certain costs more than 2^-16 bits, and the last digit holds 40 at most.
    """
    if count > (8 * len(payload) + 40) << 16:
        raise CorruptPayloadError(f"{len(payload)} bytes cannot hold {count} codes")


def check_seed(seed: int) -> None:
    """Raise InvalidInputError unless it is a whole number in [0, 2^64)."""
    if not isinstance(seed, int) or not 0 <= seed < 1 << 64:
        raise InvalidInputError(f"seed must be a whole number in [0, 2^64), got {seed!r}")


def check_first(wanted: int | None, there: int, name: str) -> int:
    """How many of the stages or rows that are there to read. Raises InvalidInputError."""
    if wanted is None:
        return there
    if not 0 <= wanted <= there:
        raise InvalidInputError(f"{name} must be 0 to {there}, got {wanted}")
    return wanted


def _check_tables(cumulative: NDArray[np.uint32], bits: int) -> None:
    _check_array(cumulative, np.uint32, 2, "cumulative")
    if not 1 <= bits <= _MAX_BITS:
        raise InvalidInputError(f"bits must be in [1, {_MAX_BITS}], got {bits}")
    if cumulative.shape[1] < 2 or not cumulative.flags.c_contiguous:
        raise InvalidInputError(
            f"cumulative must be (R, K + 1) in C order, got {cumulative.shape = }"
        )
    whole = (cumulative[:, 0] == 0) & (cumulative[:, -1] == 1 << bits)
    if not (whole.all() and (cumulative[:, 1:] > cumulative[:, :-1]).all()):
        raise InvalidInputError(f"each table must rise strictly from 0 to 2^{bits}")


def _check_ones(ones: NDArray[np.uint16]) -> None:
    _check_array(ones, np.uint16, 1, "ones")
    if ones.size and ones.min() == 0:
        raise InvalidInputError("a probability of 0 cannot be coded")


def _check_array(array: NDArray[np.generic], dtype: type[np.generic], rank: int, name: str) -> None:
    """Raise InvalidInputError unless array has this dtype and rank."""
    if array.dtype != dtype or array.ndim != rank:
        raise InvalidInputError(
            f"{name} must be {np.dtype(dtype).name} of rank {rank}, "
            f"got {array.dtype.name} {array.shape}"
        )
