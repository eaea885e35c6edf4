"""The state of a training run on disk, so that it can be stopped and taken up again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vqcodec.errors import BadModelError
from vqcodec.files import write_whole
from vqcodec.model.config import ModelConfig
from vqcodec.model.network import VQVAE
from vqcodec.training.optimizer import Optimizer

__all__ = ["TrainingState", "load_state", "save_state"]


@dataclass
class TrainingState:
    """How far a run has come: steps taken, seconds spent in them, and its share of full rate."""

    steps: int = 0
    seconds: float = 0.0
    rate_scale: float = 1.0


def save_state(path: Path, model: VQVAE, optimizer: Optimizer, state: TrainingState) -> None:
    """Write model, optimizer, progress and torch's generator as one safetensors file, whole or not.

    Raises:
        OSError: it cannot be written; an older state is as it was.
    """
    tensors = {f"model.{name}": t.contiguous() for name, t in model.state_dict().items()}
    tensors |= {f"optimizer.{name}": t.contiguous() for name, t in optimizer.tensors().items()}
    tensors["random"] = torch.get_rng_state()
    metadata = {
        "config": model.config.to_text(),
        "analysis": model.config.analysis_text(),
        "optimizer": optimizer.kind,
        "state": json.dumps(vars(state)),
    }
    # Through memory: what the library says of a full disk is an error of its own, not the system's.
    write_whole(path, save(tensors, metadata=metadata))


def load_state(path: Path, model: VQVAE, optimizer: Optimizer) -> TrainingState:
    """Fill model, optimizer and torch's generator from a file of `save_state`; return the progress.

    Raises:
        BadModelError: the file is damaged, or belongs to a model of another configuration.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise BadModelError(f"{path}: {error}") from error
    if not {"config", "analysis", "state"} <= metadata.keys():
        raise BadModelError(f"{path}: not the state of a training run")
    if metadata.get("optimizer") != optimizer.kind:
        raise BadModelError(f"{path}: was trained with another optimizer: start anew")
    if ModelConfig.from_text(metadata["config"], metadata["analysis"]) != model.config:
        raise BadModelError(f"{path}: was trained with another configuration: start anew")
    model.load_state_dict(_strip(tensors, "model."))
    optimizer.load(_strip(tensors, "optimizer."))
    torch.set_rng_state(tensors["random"])
    return TrainingState(**json.loads(metadata["state"]))


def _strip(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
