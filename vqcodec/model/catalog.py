"""Which models are here, and where: found by name or fingerprint, brought only if one asks."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path

from vqcodec.errors import BadModelError, InputError, ModelError, UnknownModelError
from vqcodec.files import write_whole
from vqcodec.model.brought import brought_model
from vqcodec.model.file import ModelCard, read_card, read_model

__all__ = [
    "add_model",
    "check_name",
    "find_model",
    "list_models",
    "locate_model",
    "model_folders",
    "next_generation",
    "remove_model",
    "user_folder",
]

# Fit for a file on every system, and for the command line, where `.safetensors` ends a file's name.
_NAME = re.compile(r"(?!.*\.safetensors$)(?!.*[. ]$)[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


def model_folders() -> list[Path]:
    """The folders that are searched, in this order: built in, $VQCODEC_MODELS, the user's own.

    >>> model_folders()[0].name
    'built_in'
    """
    folders = [Path(__file__).parent / "built_in"]
    if os.environ.get("VQCODEC_MODELS"):
        folders.append(Path(os.environ["VQCODEC_MODELS"]))
    folders.append(_data_folder())
    return folders


def list_models() -> list[ModelCard]:
    """Every readable model in the folders, in the order in which they are searched.

    >>> [card.label for card in list_models()][:2]
    ['photo-psnr-1', 'photo-1']
    """
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
        UnknownModelError: there is none; the message says where it was looked for.

    >>> find_model("photo-1").name
    'photo'
    """
    found = _find(list_models(), key)
    if found is None:
        places = ", ".join(str(folder) for folder in model_folders())
        raise UnknownModelError(f"no model {key[:80]!r} in {places}")
    return found


def locate_model(name_or_path: str | Path) -> Path:
    """Where a model's file is: by name, fingerprint or path of a .safetensors file.

    Raises:
        UnknownModelError: there is none; the message says where it was looked for.
        BadModelError: the path is a file of another suffix.
        InputError: it is neither text nor a path.

    >>> locate_model("photo").name
    'photo.safetensors'
    """
    if not isinstance(name_or_path, str | Path):
        raise InputError(f"a model is a name, a fingerprint or a path, got {name_or_path!r}")
    path = Path(name_or_path)
    if path.suffix != ".safetensors":
        try:
            return find_model(str(name_or_path)).path
        except UnknownModelError:
            if path.is_file():
                raise BadModelError(f"{path}: not a .safetensors file") from None
            raise
    if not path.is_file():
        raise UnknownModelError(f"no file of weights {path}")
    return path


def next_generation(name: str) -> int:
    """The generation of a new model of this name: after all that are here.

    >>> next_generation("a-name-that-nobody-used")
    1
    """
    return 1 + max([card.generation for card in list_models() if card.name == name], default=0)


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a model.

    Raises:
        InputError: not 1 to 64 letters and digits of ASCII, dots, spaces, dashes and underscores,
            of which a letter or digit comes first, and neither a dot nor a space last.

    >>> check_name("X-ray 2")
    >>> check_name("x/ray")
    Traceback (most recent call last):
    vqcodec.errors.InputError: 'x/ray' cannot be the name of a model: ...
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name[:80]!r} cannot be the name of a model: take up to 64 of A-Z a-z 0-9 . _ - and "
            "space, a letter or digit first"
        )


def add_model(source: str | Path, *, fingerprint: str | None = None) -> ModelCard:
    """Check a file of weights and copy it into the user's folder, under its own name.

    A model that is in another folder already stays there, and is not copied.

    Args:
        source: a path, or a URL, from which nothing is installed before all of it was checked.
        fingerprint: 16 hexadecimal digits that it has to have; None for any.

    Raises:
        BadModelError: the file is damaged, its name is not fit for a file, it has another
            fingerprint, or a model elsewhere decodes alike and is not the same.
        UnknownModelError: it borrows the networks of a model that is not here.
        InputError: the URL cannot be read, or the fingerprint is none.

    >>> add_model(locate_model("photo"), fingerprint="4dc92345407d902f").label
    'photo-1'
    """
    with brought_model(source, fingerprint=fingerprint) as path:
        return _add(path)


def _add(path: Path) -> ModelCard:
    from vqcodec.model.tensors import network_from_tensors, priors_from_tensors

    card, tensors = read_model(path)
    # What could not be loaded would be in the way of others of its name.
    borrowed = getattr(card.config.synthesis, "fingerprint", None)
    if borrowed is not None:
        find_model(borrowed)
    else:
        network_from_tensors(card.config, tensors, path)
        priors_from_tensors(card.config, tensors, path)
    try:
        check_name(card.name)
    except InputError as error:
        raise BadModelError(f"{path}: {error}") from error
    folder = user_folder()
    for known in list_models():
        if known.fingerprint == card.fingerprint and known.path.parent != folder:
            if known.path.read_bytes() != path.read_bytes():
                raise BadModelError(
                    f"{path}: decodes as {known.label} does, but its file is another one: another "
                    "encoder, or damage to it; use it where it is, by its path"
                )
            return known
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{card.name}-{card.fingerprint}.safetensors"
    write_whole(target, path.read_bytes())
    return dataclasses.replace(card, path=target)


def remove_model(key: str) -> ModelCard:
    """Delete the file of a model that was added; files that it has encoded need it to be decoded.

    Args:
        key: as `find_model` takes it, among the models that are not built in.

    Returns:
        what the file said.

    Raises:
        UnknownModelError: there is none.
        ModelError: it is built in.
        OSError: it cannot be deleted.

    >>> remove_model("photo")
    Traceback (most recent call last):
    vqcodec.errors.ModelError: photo-1 is built in and cannot be removed
    """
    built_in = model_folders()[0]
    added = [card for card in list_models() if card.path.parent != built_in]
    card = _find(added, key) or find_model(key)
    if card not in added:
        raise ModelError(f"{card.label} is built in and cannot be removed")
    card.path.unlink()
    return card


def _find(cards: Sequence[ModelCard], key: str) -> ModelCard | None:
    """The model of this fingerprint, else the newest of this name, else that of this label."""
    printed = [card for card in cards if card.fingerprint == key]
    named = sorted((card for card in cards if card.name == key), key=lambda card: -card.generation)
    labelled = [card for card in cards if card.label == key]
    return next(iter([*printed, *named, *labelled]), None)


def user_folder() -> Path:
    """Where models are added: $VQCODEC_MODELS, else the user's own."""
    return Path(os.environ.get("VQCODEC_MODELS") or _data_folder())


def _data_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return Path(base) / "vqcodec" / "models"
