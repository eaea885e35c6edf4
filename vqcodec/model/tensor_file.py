"""Safetensors files with a header of texts, read with distrust and written whole.

Reading needs no torch. Everything is checked before it is believed: sizes, types, finite numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from vqcodec.errors import BadModelError
from vqcodec.files import write_whole

__all__ = ["Tensors", "hash_tensors", "read_header", "read_tensors", "write_tensors"]

Tensors = dict[str, NDArray[Any]]

MAX_FILE_BYTES = 1 << 30
MAX_HEADER_BYTES = 1 << 20
# Types that numpy has and a model needs.
_TYPES = {"F16", "F32", "BOOL", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64"}
# The largest number of half precision. Beyond it single precision could hold numbers whose products
# are infinite, which would come up in the middle of an encode.
_MAX_VALUE = 65504.0
# Of what is in the unit of the signal, any that there is.
_IN_UNITS, _MAX_IN_UNITS = (".mean", ".span"), 1e30


def hash_tensors(text: str, tensors: Mapping[str, NDArray[Any]], names: Iterable[str]) -> str:
    """Hash a text and the tensors of these names: 16 hexadecimal digits.

    SHA-256 over the text, then over each tensor in order of name: name, dtype, shape and
    little-endian bytes.
    """
    digest = hashlib.sha256(text.encode())
    for name in sorted(names):
        tensor = np.asarray(tensors[name], order="C")
        digest.update(f"\n{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()[:16]


def write_tensors(
    path: Path, tensors: Mapping[str, NDArray[Any]], header: Mapping[str, str]
) -> None:
    """Write a file, whole or not at all; equal input gives equal bytes.

    Raises:
        BadModelError: a tensor holds values that `read_tensors` refuses.
    """
    _check_values(path, tensors)
    ordered = {key: np.asarray(tensors[key], order="C") for key in sorted(tensors)}
    write_whole(path, _sort_header(save(ordered, metadata=dict(header))))


def read_header(path: Path, *, format: str, texts: Sequence[str]) -> dict[str, str]:
    """Read the texts in a file's header, the first thing to be read of it.

    Raises:
        BadModelError: too large, another format than this one, or a text that is not there.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadModelError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= MAX_HEADER_BYTES:
            raise BadModelError(f"{path}: not a safetensors file")
        text = file.read(size)
    try:
        header = json.loads(text)["__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadModelError(f"{path}: not a safetensors file with a vqcodec header") from error
    if not isinstance(header, dict) or header.get("format") != format:
        raise BadModelError(f"{path}: not a {format} file")
    if not all(isinstance(header.get(key), str) for key in texts):
        raise BadModelError(f"{path}: its header lacks one of {', '.join(texts)}")
    return header


def read_tensors(path: Path) -> Tensors:
    """Read all tensors of a file, of types and values that models have.

    Raises:
        BadModelError: damaged, of other types, not finite or absurdly large.
    """
    try:
        with safe_open(path, framework="np") as file:
            names = list(file.keys())
            for name in names:
                if (kind := file.get_slice(name).get_dtype()) not in _TYPES:
                    raise BadModelError(f"{path}: tensor {name} has the type {kind}")
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, TypeError, ValueError) as error:
        raise BadModelError(f"{path}: {error}") from error
    _check_values(path, tensors)
    return tensors


def _check_values(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    for name, tensor in tensors.items():
        if tensor.dtype.kind != "f" or not tensor.size:
            continue
        # Without their sign the bits of floats are in order as integers, with infinity and NaN
        # last: NumPy compares those at once, half-precision floats one by one.
        whole = np.dtype(f"u{tensor.dtype.itemsize}")
        bits = tensor.view(whole) & whole.type(np.iinfo(whole).max >> 1)
        most = float(bits.max().view(tensor.dtype))
        if not math.isfinite(most):
            raise BadModelError(f"{path}: tensor {name} holds NaN or infinite values")
        limit = _MAX_IN_UNITS if name.endswith(_IN_UNITS) else _MAX_VALUE
        if most > limit:
            raise BadModelError(f"{path}: tensor {name} holds {most:g}, more than {limit:g}")


def _sort_header(data: bytes) -> bytes:
    """Write a safetensors header with sorted keys: the library's order of metadata varies."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":"))
    padded = header.encode() + b" " * (-len(header.encode()) % 8)
    return len(padded).to_bytes(8, "little") + padded + data[8 + size :]
