"""The state of a training run on disk, so that it can be stopped and taken up again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vqcodec.errors import BadModelError
from vqcodec.files import write_whole
from vqcodec.model.config import ModelConfig
from vqcodec.model.network import VQVAE
from vqcodec.parts import parse_object, shown
from vqcodec.training.optimizer import Optimizer

__all__ = ["TrainingState", "load_state", "save_state"]

_TEXTS = ("config", "analysis", "optimizer", "state")
# Far beyond any run, and exact as a float.
_MOST = 1e15


@dataclass
class TrainingState:
    """How far a run has come, and how it goes on.

    Attributes:
        steps, seconds: taken, and spent in them.
        rate_scale: its share of the full learning rate.
        keep_codebooks: whether its codebooks stay as they were when it began.
    """

    steps: int = 0
    seconds: float = 0.0
    rate_scale: float = 1.0
    keep_codebooks: bool = False

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what a state file holds.

        Raises:
            BadModelError: not an object of these, or a number that is out of range.

        >>> TrainingState.from_text('{"steps": 7, "seconds": 2.5, "rate_scale": 1}').steps
        7
        """
        values = parse_object(text, "its progress")
        kinds: dict[str, tuple[type, ...]] = {
            "steps": (int,),
            "seconds": (int, float),
            "rate_scale": (int, float),
            "keep_codebooks": (bool,),
        }
        # Earlier runs kept none.
        values = {"keep_codebooks": False, **values}
        if values.keys() != kinds.keys():
            raise BadModelError(f"its progress must be {', '.join(kinds)}, is {shown(values)}")
        for name, value in values.items():
            if type(value) not in kinds[name] or not 0 <= value <= _MOST:
                raise BadModelError(f"its {name} cannot be {shown(value)}")
        return cls(**values)


def save_state(path: Path, model: VQVAE, optimizer: Optimizer, state: TrainingState) -> None:
    """Write model, optimizer, progress and torch's generator as one safetensors file.

    Raises:
        OSError: it cannot be written; an older state is as it was.
    """
    found = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    found |= {f"optimizer.{name}": tensor for name, tensor in optimizer.tensors().items()}
    found["random"] = torch.get_rng_state()
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in found.items()}
    texts = {
        "config": model.config.to_text(),
        "analysis": model.config.analysis_text(),
        "optimizer": optimizer.kind,
        "state": json.dumps(vars(state)),
    }
    metadata = {**texts, "checksum": _checksum(texts, tensors)}
    # Through memory: what the library says of a full disk is an error of its own, not the system's.
    write_whole(path, save(tensors, metadata=metadata))


def load_state(path: Path, model: VQVAE, optimizer: Optimizer) -> TrainingState:
    """Fill model, optimizer and torch's generator from a file of `save_state`; give the progress.

    Raises:
        BadModelError: the file is damaged, holds what no run leaves, or belongs to a model of
            another configuration; model and optimizer are as they were.
    """
    try:
        texts, tensors = _read(path)
        state = TrainingState.from_text(texts["state"])
        if texts["optimizer"] != optimizer.kind:
            raise BadModelError("was trained with another optimizer: start anew")
        if ModelConfig.from_text(texts["config"], texts["analysis"]) != model.config:
            raise BadModelError("was trained with another configuration: start anew")
        _check(tensors, _wanted(model, optimizer, state))
    except BadModelError as error:
        raise BadModelError(f"{path}: {error}") from error
    model.load_state_dict(_strip(tensors, "model."))
    optimizer.load(_strip(tensors, "optimizer."))
    torch.set_rng_state(tensors["random"])
    return state


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, TypeError, ValueError) as error:
        raise BadModelError(str(error)) from error
    if not {*_TEXTS, "checksum"} <= metadata.keys():
        raise BadModelError("not the state of a training run")
    texts = {key: metadata[key] for key in _TEXTS}
    if metadata["checksum"] != _checksum(texts, tensors):
        raise BadModelError("its checksum does not match: damaged or changed")
    return texts, tensors


def _wanted(
    model: VQVAE, optimizer: Optimizer, state: TrainingState
) -> dict[str, tuple[torch.dtype, tuple[int, ...]]]:
    """Type and shape of every tensor that a state has, by name."""
    random = torch.get_rng_state()
    wanted = {"random": (random.dtype, tuple(random.shape))}
    for name, tensor in model.state_dict().items():
        wanted[f"model.{name}"] = (tensor.dtype, tuple(tensor.shape))
    # Before the first step it remembers nothing.
    for name, shape in optimizer.shapes().items() if state.steps else ():
        wanted[f"optimizer.{name}"] = (torch.float32, shape)
    return wanted


def _check(
    tensors: Mapping[str, Tensor], wanted: Mapping[str, tuple[torch.dtype, tuple[int, ...]]]
) -> None:
    for name in sorted(wanted.keys() | tensors.keys()):
        if name not in tensors:
            raise BadModelError(f"holds no {name}")
        if name not in wanted:
            raise BadModelError(f"holds {shown(name)}, which belongs to no such run")
        found = (tensors[name].dtype, tuple(tensors[name].shape))
        if found != wanted[name]:
            raise BadModelError(
                f"{name} is {found[0]} {found[1]}, must be {wanted[name][0]} {wanted[name][1]}"
            )


def _checksum(texts: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """A hash of everything in the file, 16 hexadecimal digits."""
    digest = hashlib.blake2b(json.dumps(texts, sort_keys=True).encode(), digest_size=8)
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _strip(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
