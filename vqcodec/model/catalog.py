"""Which models are here, and where: found by name or fingerprint, never fetched from a network."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from vqcodec.errors import BadModelError, UnknownModelError
from vqcodec.model.built_in import PUBLISHED
from vqcodec.model.file import ModelCard, read_card, read_model

__all__ = [
    "add_model",
    "find_model",
    "list_models",
    "model_folders",
    "next_generation",
    "published_label",
]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def model_folders() -> list[Path]:
    """The folders that are searched, in this order: built in, $VQCODEC_MODELS, the user's own."""
    folders = [Path(__file__).parent / "built_in"]
    if os.environ.get("VQCODEC_MODELS"):
        folders.append(Path(os.environ["VQCODEC_MODELS"]))
    folders.append(_user_folder())
    return folders


def list_models() -> list[ModelCard]:
    """Every readable model in the folders, in the order in which they are searched."""
    cards = []
    for folder in model_folders():
        for path in sorted(folder.glob("*.safetensors")):
            try:
                cards.append(read_card(path))
            except (BadModelError, OSError):
                # A file that is no model must not hide the others; naming it explicitly says why.
                continue
    return cards


def find_model(key: str) -> ModelCard:
    """Find a model by name, by name and generation, or by fingerprint.

    Args:
        key: "photo" for the highest generation that is here, "photo-1", or 16 hexadecimal digits.
            Among equal models the one in the first folder is taken.

    Raises:
        UnknownModelError: there is none; the message says where it was looked for, or how to get
            a model that was built in once.
    """
    cards = list_models()
    for card in cards:
        if card.fingerprint == key:
            return card
    named = [card for card in cards if card.name == key]
    if named:
        return max(named, key=lambda card: card.generation)
    for card in cards:
        if card.label == key:
            return card
    raise UnknownModelError(_missing(key))


def published_label(fingerprint: str) -> str | None:
    """Name and generation of a model that is or was built in, "photo-1"; None for any other."""
    known = PUBLISHED.get(fingerprint)
    return None if known is None else f"{known[0]}-{known[1]}"


def next_generation(name: str) -> int:
    """The generation of a new model of this name: after all that are here or were published."""
    installed = [card.generation for card in list_models() if card.name == name]
    published = [generation for known, generation in PUBLISHED.values() if known == name]
    return 1 + max([*installed, *published], default=0)


def add_model(path: Path) -> ModelCard:
    """Check a file of weights and copy it into the user's folder, under its own name.

    Raises:
        BadModelError: the file is damaged, or its name is not fit for a file.
    """
    card, _ = read_model(path)
    if not _NAME.fullmatch(card.name):
        raise BadModelError(f"{path}: its name {card.name[:80]!r} is not fit for a file")
    folder = Path(os.environ.get("VQCODEC_MODELS") or _user_folder())
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{card.name}-{card.fingerprint}.safetensors"
    partial = target.with_name(target.name + ".tmp")
    shutil.copyfile(path, partial)
    os.replace(partial, target)
    return ModelCard(card.name, target, card.fingerprint, card.config, card.metadata)


def _missing(key: str) -> str:
    for fingerprint in PUBLISHED:
        label = published_label(fingerprint)
        if key in (label, fingerprint):
            return (
                f"needs the model {label} ({fingerprint}), which is not installed; it was built "
                "into an earlier vqcodec (docs/models.md says which): take its file from there "
                "and run `vqcodec models add FILE`"
            )
    places = ", ".join(str(folder) for folder in model_folders())
    return f"no model {key[:80]!r} in {places}"


def _user_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return Path(base) / "vqcodec" / "models"
