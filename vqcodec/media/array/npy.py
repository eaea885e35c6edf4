"""Files of NumPy's own format, .npy; nothing in them is ever unpickled."""

from __future__ import annotations

import io
import math
import os

import numpy as np

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, LimitError
from vqcodec.media.array.signal import Array

__all__ = ["map_npy", "read_npy", "write_npy"]


def read_npy(data: bytes, limits: Limits) -> Array:
    """The array in the bytes of a file.

    Raises:
        InputError: no whole file of a supported dtype. LimitError: it has too many values.
    """
    file = io.BytesIO(data)
    shape, dtype = _header(file)
    if math.prod(shape) > limits.max_samples:
        raise LimitError(f"{math.prod(shape)} values, more than the limit of {limits.max_samples}")
    if math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise InputError(
            f"a .npy file of {shape} {dtype.name} has {len(data) - file.tell()} bytes of values"
        )
    file.seek(0)
    return Array(np.lib.format.read_array(file))


def map_npy(path: str, limits: Limits) -> Array | None:
    """The array in a file, read as its chunks are asked for; None for what `read_npy` refuses."""
    with open(path, "rb") as file:
        try:
            shape, dtype = _header(file)
        except InputError:
            return None
        start = file.tell()
    count = math.prod(shape)
    if count > limits.max_samples:
        raise LimitError(f"{count} values, more than the limit of {limits.max_samples}")
    if count == 0 or not shape or start + count * dtype.itemsize != os.path.getsize(path):
        return None
    return Array(np.lib.format.open_memmap(path, mode="r"))


def write_npy(array: Array) -> bytes:
    """The bytes of a file, C order."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array.values, order="C"))
    return file.getvalue()


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
    # Refuses objects and records, as Array does.
    Array(np.zeros((0,) * min(len(shape), 99), dtype))
    if min(shape, default=0) < 0:
        raise InputError(f"a .npy file of shape {shape}")
    return shape, dtype
