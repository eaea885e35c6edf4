"""A trained model on disk: one safetensors file with its tensors, configuration and fingerprint.

Reading needs no torch, so that a stream can be decoded to codes, and a wrong file refused, without
it. Everything is checked before it is believed: sizes, types, finite numbers, and the fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from vqcodec.errors import BadModelError
from vqcodec.files import write_whole
from vqcodec.model.config import ModelConfig
from vqcodec.parts import parse_object, shown

__all__ = ["ModelCard", "Tensors", "compute_fingerprint", "read_card", "read_model", "write_model"]

Tensors = dict[str, NDArray[Any]]

FORMAT = "vqcodec-model-1"
MAX_FILE_BYTES = 1 << 30
MAX_HEADER_BYTES = 1 << 20
# Types that numpy has and a model needs.
_TYPES = {"F16", "F32", "BOOL", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64"}
# What only the encoder uses may improve without making old files unreadable.
_ENCODER_ONLY = ("analysis.", "search.")
_MAX_GENERATION = 999_999
# The largest number of half precision. Beyond it single precision could hold numbers whose products
# are infinite, which would come up in the middle of an encode.
_MAX_VALUE = 65504.0
_TEXTS = ("name", "fingerprint", "config", "analysis", "metadata")


@dataclass(frozen=True)
class ModelCard:
    """What a file of weights says about itself.

    Attributes:
        name: what users call it, "photo".
        path: where it was read from.
        fingerprint: 16 hexadecimal digits; a stream names its model by them.
        config: the architecture.
        metadata: free facts for people: how and on what it was trained; and the model's
            generation, 1 to 999999, which is 1 if it is not there.

    Raises:
        BadModelError: the generation is not such a number.
    """

    name: str
    path: Path
    fingerprint: str
    config: ModelConfig
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        number = self.metadata.get("generation", 1)
        if type(number) is not int or not 1 <= number <= _MAX_GENERATION:
            raise BadModelError(
                f"{self.path}: its generation must be a whole number from 1 to {_MAX_GENERATION}, "
                f"is {shown(number)}"
            )

    @property
    def generation(self) -> int:
        """How many models have borne this name so far, this one included."""
        return int(self.metadata.get("generation", 1))

    @property
    def label(self) -> str:
        """Name and generation, "photo-2"."""
        return f"{self.name}-{self.generation}"


def compute_fingerprint(text: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    """Hash everything that decoding depends on: 16 hexadecimal digits.

    SHA-256 over the configuration's text as it stands in the file, then over each tensor that the
    decoder uses, in order of name: name, dtype, shape and little-endian bytes. What only an encoder
    uses does not count: the analysis, its part of the configuration, and what the search is told.
    """
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        if not name.startswith(_ENCODER_ONLY):
            tensor = np.asarray(tensors[name], order="C")
            digest.update(f"\n{name} {tensor.dtype.str} {tensor.shape}\n".encode())
            digest.update(tensor.tobytes())
    return digest.hexdigest()[:16]


def write_model(
    path: Path,
    name: str,
    config: ModelConfig,
    tensors: Mapping[str, NDArray[Any]],
    metadata: Mapping[str, Any],
) -> ModelCard:
    """Write a model file, whole or not at all; equal input gives equal bytes.

    Raises:
        BadModelError: the metadata holds a generation that is none, see `ModelCard`; a tensor
            holds values that `read_model` refuses.
    """
    _check_values(path, tensors)
    text = config.to_text()
    card = ModelCard(name, path, compute_fingerprint(text, tensors), config, dict(metadata))
    header = {
        "format": FORMAT,
        "name": name,
        "fingerprint": card.fingerprint,
        "config": text,
        "analysis": config.analysis_text(),
        "metadata": json.dumps(metadata, sort_keys=True),
    }
    ordered = {key: np.asarray(tensors[key], order="C") for key in sorted(tensors)}
    write_whole(path, _sort_header(save(ordered, metadata=header)))
    return card


def read_card(path: Path) -> ModelCard:
    """Read a model file's own words about itself, without its tensors and without checking them.

    Raises:
        BadModelError: not a model file of this project.
    """
    return _card(path, _read_header(path))


def read_model(path: Path) -> tuple[ModelCard, Tensors]:
    """Read a model file and check that every tensor is what was written.

    Raises:
        BadModelError: damaged, not a model, not finite or absurdly large, or its
            fingerprint is not its content's.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadModelError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    header = _read_header(path)
    card = _card(path, header)
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
    actual = compute_fingerprint(header["config"], tensors)
    if actual != card.fingerprint:
        raise BadModelError(
            f"{path}: says it is {card.fingerprint}, but holds {actual}: damaged or changed"
        )
    return card, tensors


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
        if most > _MAX_VALUE:
            raise BadModelError(f"{path}: tensor {name} holds {most:g}, more than {_MAX_VALUE:g}")


def _read_header(path: Path) -> dict[str, str]:
    """Read the texts in a model file's header."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= MAX_HEADER_BYTES:
            raise BadModelError(f"{path}: not a safetensors file")
        text = file.read(size)
    try:
        header = json.loads(text)["__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadModelError(f"{path}: not a safetensors file with a vqcodec header") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise BadModelError(f"{path}: not a {FORMAT} file")
    if not all(isinstance(header.get(key), str) for key in _TEXTS):
        raise BadModelError(f"{path}: its header lacks one of {', '.join(_TEXTS)}")
    return header


def _card(path: Path, header: dict[str, str]) -> ModelCard:
    try:
        config = ModelConfig.from_text(header["config"], header["analysis"])
        facts = parse_object(header["metadata"], "its metadata")
    except BadModelError as error:
        raise BadModelError(f"{path}: {error}") from error
    return ModelCard(header["name"], path, header["fingerprint"], config, facts)


def _sort_header(data: bytes) -> bytes:
    """Write a safetensors header with sorted keys: the library's order of metadata varies."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":"))
    padded = header.encode() + b" " * (-len(header.encode()) % 8)
    return len(padded).to_bytes(8, "little") + padded + data[8 + size :]
