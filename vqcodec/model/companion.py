"""Files that belong to one model: weights that serve its codes and change none of them.

Restoring encoders are such files, and priors that draw codes. A file names the model by its
fingerprint and holds a part of a configuration, tensors, and a checksum of both.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vqcodec.errors import BadModelError, InputError, ModelError, UnknownModelError
from vqcodec.files import write_whole
from vqcodec.model.catalog import check_name, find_model, model_folders, user_folder
from vqcodec.model.file import ModelCard
from vqcodec.model.tensor_file import (
    Tensors,
    hash_tensors,
    read_header,
    read_tensors,
    write_tensors,
)
from vqcodec.parts import parse_object

__all__ = [
    "KINDS",
    "CompanionCard",
    "add_companion",
    "companion_kind",
    "find_companions",
    "list_companions",
    "locate_companion",
    "read_companion",
    "remove_companion",
    "write_companion",
]

KINDS = ("restorer", "generator")
_TEXTS = ("name", "model", "config", "checksum", "metadata")


@dataclass(frozen=True)
class CompanionCard:
    """What such a file says about itself.

    Attributes:
        kind: "restorer" or "generator"; beside models these lie in a folder of their own.
        name: what users call it, "noise".
        path: where it was read from.
        model: fingerprint of the model that it belongs to.
        config: what its network is, as JSON.
        metadata: free facts for people: how and on what it was trained.
    """

    kind: str
    name: str
    path: Path
    model: str
    config: str
    metadata: dict[str, Any] = field(default_factory=dict)


def write_companion(
    path: Path,
    kind: str,
    *,
    model: str,
    config: str,
    tensors: Tensors,
    metadata: Mapping[str, Any],
) -> CompanionCard:
    """Write a file that bears its own stem as its name.

    Raises:
        InputError: the file's stem cannot be a name.
        BadModelError: a tensor holds values that no model has.
    """
    check_name(path.stem)
    header = {
        "format": _format(kind),
        "name": path.stem,
        "model": model,
        "config": config,
        "checksum": hash_tensors(model + config, tensors, tensors),
        "metadata": json.dumps(metadata, sort_keys=True),
    }
    write_tensors(path, tensors, header)
    return CompanionCard(kind, path.stem, path, model, config, dict(metadata))


def read_companion(path: Path, kind: str, card: ModelCard) -> tuple[CompanionCard, Tensors]:
    """Read a file of a model and check that every tensor is what was written.

    Raises:
        BadModelError: damaged, of another kind, or of another model.
    """
    found, checksum = _read_card(path, kind)
    tensors = read_tensors(path)
    if hash_tensors(found.model + found.config, tensors, tensors) != checksum:
        raise BadModelError(f"{path}: its checksum does not match: damaged or changed")
    if found.model != card.fingerprint:
        raise BadModelError(
            f"{path}: is for the model {found.model}, not for {card.label} ({card.fingerprint})"
        )
    return found, tensors


def list_companions(kind: str) -> list[CompanionCard]:
    """Every readable file of a kind beside the models that are here, in order of their folders.

    >>> [card.kind for card in list_companions("generator")]
    []
    """
    cards = []
    for folder in model_folders():
        for path in sorted((folder / f"{kind}s").glob("*.safetensors")):
            try:
                cards.append(_read_card(path, kind)[0])
            except (BadModelError, OSError):
                # As with models: one that is none must not hide the others.
                continue
    return cards


def find_companions(key: str) -> list[CompanionCard]:
    """Those of a name, "noise", whatever they are and of whatever model, or of a file's stem.

    >>> find_companions("nothing of this name")
    []
    """
    cards = [card for kind in KINDS for card in list_companions(kind)]
    return [card for card in cards if key in (card.name, card.path.stem)]


def remove_companion(key: str) -> CompanionCard:
    """Delete a file that was added; `key` is as `find_companions` takes it.

    Raises:
        UnknownModelError: there is none that was added.
        ModelError: there are several; the message names them.
        OSError: it cannot be deleted.
    """
    there = find_companions(key)
    added = [card for card in there if card.path.parents[1] != model_folders()[0]]
    if len(added) > 1:
        names = ", ".join(card.path.stem for card in added)
        raise ModelError(f"several are called {key[:80]!r}: say which of {names}")
    if there and not added:
        raise ModelError(f"{there[0].kind} {there[0].name} is built in and cannot be removed")
    if not added:
        raise UnknownModelError(f"no restorer or generator {key[:80]!r} was added")
    added[0].path.unlink()
    return added[0]


def companion_kind(path: Path) -> str | None:
    """What a file of a model is, "restorer" or "generator"; None for anything else."""
    for kind in KINDS:
        try:
            _read_card(path, kind)
        except BadModelError:
            continue
        return kind
    return None


def add_companion(path: Path, kind: str) -> CompanionCard:
    """Check such a file and copy it where it is found by its name.

    Raises:
        UnknownModelError: the model that it belongs to is not here.
        BadModelError: it is damaged, or its name is not fit for a file.
    """
    found, _ = _read_card(path, kind)
    found, _ = read_companion(path, kind, find_model(found.model))
    try:
        check_name(found.name)
    except InputError as error:
        raise BadModelError(f"{path}: {error}") from error
    target = user_folder() / f"{kind}s" / f"{found.name}-{found.model}.safetensors"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, path.read_bytes())
    return dataclasses.replace(found, path=target)


def locate_companion(name_or_path: str | Path, kind: str, card: ModelCard) -> Path:
    """Where a file of a model is: by name or path of a .safetensors file.

    Raises:
        UnknownModelError: there is none; the message says which there are.
        InputError: it is neither text nor a path.
    """
    if not isinstance(name_or_path, str | Path):
        raise InputError(f"a {kind} is a name or a path, got {name_or_path!r}")
    path = Path(name_or_path)
    if path.suffix == ".safetensors":
        if not path.is_file():
            raise UnknownModelError(f"no file of a {kind} {path}")
        return path
    own = {
        known.name: known.path
        for known in reversed(list_companions(kind))
        if known.model == card.fingerprint
    }
    if str(name_or_path) not in own:
        there = ", ".join(sorted(own)) or "none"
        raise UnknownModelError(
            f"no {kind} {str(name_or_path)[:80]!r} for {card.label}; there are: {there}"
        )
    return own[str(name_or_path)]


def _format(kind: str) -> str:
    return f"vqcodec-{kind}-1"


def _read_card(path: Path, kind: str) -> tuple[CompanionCard, str]:
    header = read_header(path, format=_format(kind), texts=_TEXTS)
    try:
        facts = parse_object(header["metadata"], "its metadata")
    except BadModelError as error:
        raise BadModelError(f"{path}: {error}") from error
    card = CompanionCard(kind, header["name"], path, header["model"], header["config"], facts)
    return card, header["checksum"]
