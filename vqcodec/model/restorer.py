"""Restoring encoders: an analysis that makes of a damaged signal the latent of a clean one.

It stands in for the analysis of one model; what it encodes are ordinary files of that model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqcodec.errors import BadModelError
from vqcodec.model.catalog import locate_model
from vqcodec.model.companion import (
    CompanionCard,
    locate_companion,
    read_companion,
    write_companion,
)
from vqcodec.model.config import ModelConfig
from vqcodec.model.file import ModelCard, Tensors, read_model

__all__ = ["RESTORER", "read_restoring_model", "with_restorer", "write_restorer"]

RESTORER = "restorer"
_ANALYSIS = "analysis."


def write_restorer(
    path: Path, card: ModelCard, tensors: Mapping[str, Any], metadata: Mapping[str, Any]
) -> CompanionCard:
    """Write the analysis among a model's tensors as a restorer that bears the name of the file.

    card: of the model that it learned for, with the configuration of this analysis.

    Raises:
        InputError: the file's stem cannot be a name.
        BadModelError: a tensor holds values that no model has.
    """
    return write_companion(
        path,
        RESTORER,
        model=card.fingerprint,
        config=card.config.analysis_text(),
        tensors={name: tensors[name] for name in tensors if name.startswith(_ANALYSIS)},
        metadata=metadata,
    )


def with_restorer(
    card: ModelCard, tensors: Mapping[str, Any], name_or_path: str | Path
) -> tuple[ModelCard, Tensors]:
    """A model with the analysis of a restorer instead of its own; all else stays.

    Raises:
        UnknownModelError: there is none of this name for this model.
        BadModelError: it is damaged, or belongs to another model.
    """
    path = locate_companion(name_or_path, RESTORER, card)
    restorer, analysis = read_companion(path, RESTORER, card)
    try:
        config = ModelConfig.from_text(card.config.to_text(), restorer.config)
    except BadModelError as error:
        raise BadModelError(f"{path}: {error}") from error
    if strange := sorted(name for name in analysis if not name.startswith(_ANALYSIS)):
        raise BadModelError(f"{path}: holds {strange[0]}, which is no part of an analysis")
    kept = {name: tensors[name] for name in tensors if not name.startswith(_ANALYSIS)}
    restoring = dataclasses.replace(card, config=config, restorer=path.absolute())
    return restoring, kept | analysis


def read_restoring_model(
    name_or_path: str | Path, restorer: str | Path | None
) -> tuple[ModelCard, Tensors]:
    """Read a model, with the analysis of a restorer where one is asked for.

    Raises:
        UnknownModelError, BadModelError: as `locate_model`, `read_model` and `with_restorer`.
    """
    card, tensors = read_model(locate_model(name_or_path))
    return (card, tensors) if restorer is None else with_restorer(card, tensors, restorer)
