"""A trained model on disk: one safetensors file with its tensors, configuration and fingerprint.

Reading needs no torch, so that a stream can be decoded to codes, and a wrong file refused, without
it. Everything is checked before it is believed: sizes, types, finite numbers, and the fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from vqcodec.errors import BadModelError
from vqcodec.model.config import ModelConfig
from vqcodec.model.tensor_file import (
    Tensors,
    hash_tensors,
    read_header,
    read_tensors,
    write_tensors,
)
from vqcodec.parts import parse_object, shown

__all__ = ["ModelCard", "Tensors", "compute_fingerprint", "read_card", "read_model", "write_model"]

FORMAT = "vqcodec-model-1"
# What only the encoder uses may improve without making old files unreadable.
_ENCODER_ONLY = ("analysis.", "search.")
_MAX_GENERATION = 999_999
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
        restorer: the file that its analysis is of, where that is not its own.

    Raises:
        BadModelError: the generation is not such a number.
    """

    name: str
    path: Path
    fingerprint: str
    config: ModelConfig
    metadata: dict[str, Any] = field(default_factory=dict)
    restorer: Path | None = None

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

    `hash_tensors` of the configuration's text as it stands in the file and of each tensor that the
    decoder uses. What only an encoder uses does not count: the analysis, its part of the
    configuration, and what the search is told.
    """
    names = [name for name in tensors if not name.startswith(_ENCODER_ONLY)]
    return hash_tensors(text, tensors, names)


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
    write_tensors(path, tensors, header)
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
    header = _read_header(path)
    card = _card(path, header)
    tensors = read_tensors(path)
    actual = compute_fingerprint(header["config"], tensors)
    if actual != card.fingerprint:
        raise BadModelError(
            f"{path}: says it is {card.fingerprint}, but holds {actual}: damaged or changed"
        )
    return card, tensors


def _read_header(path: Path) -> dict[str, str]:
    return read_header(path, format=FORMAT, texts=_TEXTS)


def _card(path: Path, header: dict[str, str]) -> ModelCard:
    try:
        config = ModelConfig.from_text(header["config"], header["analysis"])
        facts = parse_object(header["metadata"], "its metadata")
    except BadModelError as error:
        raise BadModelError(f"{path}: {error}") from error
    return ModelCard(header["name"], path, header["fingerprint"], config, facts)
