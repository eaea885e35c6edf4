"""Files of NumPy's own format, .npy; nothing in them is ever unpickled."""

from __future__ import annotations

import io
import math
import os
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, LimitError

__all__ = ["map_npy", "read_npy", "write_npy", "write_npy_head"]

_MAX_AXES = 64


def read_npy(data: bytes, limits: Limits) -> NDArray[Any]:
    """The array in the bytes of a file.

    Raises:
        InputError: no whole file of numbers. LimitError: it has too many values.
    """
    file = io.BytesIO(data)
    shape, dtype = _header(file)
    _check_count(shape, limits)
    if math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise InputError(
            f"a .npy file of {shape} {dtype.name} has {len(data) - file.tell()} bytes of values"
        )
    file.seek(0)
    found: NDArray[Any] = np.lib.format.read_array(file)
    return found


def map_npy(path: str, limits: Limits) -> NDArray[Any] | None:
    """The array in a file, read as it is looked at; None for what `read_npy` refuses."""
    with open(path, "rb") as file:
        try:
            shape, dtype = _header(file)
        except InputError:
            return None
        start = file.tell()
    count = _check_count(shape, limits)
    if count == 0 or not shape or start + count * dtype.itemsize != os.path.getsize(path):
        return None
    return np.lib.format.open_memmap(path, mode="r")


def write_npy(values: NDArray[Any]) -> bytes:
    """The bytes of a file, C order."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(values, order="C"))
    return file.getvalue()


def write_npy_head(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Write what stands before the values of such an array, which follow in C order.

    >>> file = io.BytesIO()
    >>> write_npy_head(file, (2, 3), np.dtype("float32"))
    >>> file.getvalue() + bytes(24) == write_npy(np.zeros((2, 3), np.float32))
    True
    """
    descr = np.lib.format.dtype_to_descr(dtype)
    head = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, head)


def _check_count(shape: tuple[int, ...], limits: Limits) -> int:
    """How many values there are. Raises: LimitError."""
    count = math.prod(shape)
    if count > limits.max_samples:
        raise LimitError(
            f"{count} values, more than the limit of {limits.max_samples}", argument="max_samples"
        )
    return count


def _header(file: io.BytesIO | io.BufferedReader) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and dtype that a file begins with. Raises: InputError."""
    try:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise InputError(f"a .npy file of version {version}")
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    except (ValueError, EOFError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"not a whole .npy file: {error!s:.60}") from error
    if dtype.kind not in "biufc":
        raise InputError(f"no array of numbers that can be coded: {dtype!s:.60}")
    whole = all(type(length) is int and length >= 0 for length in shape)
    if not whole or len(shape) > _MAX_AXES:
        raise InputError(f"a .npy file of shape {shape!s:.60}")
    return shape, dtype
