"""The optimizer of a training run: Muon for what is a matrix, AdamW for the rest."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

__all__ = ["Optimizer"]

_WEIGHT_DECAY = 1e-4


class Optimizer:
    """Steps convolutions and linear layers with Muon (Jordan 2024), biases with AdamW, as one.

    Muon makes all directions of a matrix's update equally long. On these networks a step of it is
    worth several of AdamW's: see docs/design.md. Its steps are as long as AdamW's typical ones, so
    both share one learning rate.

    Lays the convolutions out with channels last; from then on parameters must keep their memory,
    which Muon sees as matrices of one row for each output.
    """

    def __init__(self, model: nn.Module) -> None:
        parameters = list(model.parameters())
        self._tall = [parameter for parameter in parameters if parameter.ndim > 1]
        for parameter in self._tall:
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        # One memory, two shapes: a step of the matrix is a step of the parameter.
        self._matrices = [nn.Parameter(_as_matrix(parameter.data)) for parameter in self._tall]
        self._muon = torch.optim.Muon(
            self._matrices, weight_decay=_WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"
        )
        self._adam = torch.optim.AdamW(
            [parameter for parameter in parameters if parameter.ndim <= 1],
            betas=(0.9, 0.98),
            weight_decay=_WEIGHT_DECAY,
            fused=True,
        )

    def step(self, learning_rate: float) -> None:
        """Move all parameters against their gradients, and forget the gradients."""
        for parameter, matrix in zip(self._tall, self._matrices, strict=True):
            matrix.grad = None if parameter.grad is None else _as_matrix(parameter.grad)
        for optimizer in (self._muon, self._adam):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
            optimizer.step()  # type: ignore[no-untyped-call]
            optimizer.zero_grad()
        for parameter in self._tall:
            parameter.grad = None

    def tensors(self) -> dict[str, Tensor]:
        """What the optimizer remembers, by name; `load` takes it back."""
        return {
            f"{name}.{index}.{slot}": value
            for name, optimizer in self._parts()
            for index, slots in optimizer.state_dict()["state"].items()
            for slot, value in slots.items()
        }

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `tensors` gave."""
        for name, optimizer in self._parts():
            slots: dict[int, dict[str, Tensor]] = {}
            for key, tensor in tensors.items():
                part, index, slot = key.split(".")
                if part == name:
                    slots.setdefault(int(index), {})[slot] = tensor
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": slots, "param_groups": groups})

    def _parts(self) -> Iterator[tuple[str, torch.optim.Optimizer]]:
        yield from (("muon", self._muon), ("adam", self._adam))


def _as_matrix(weight: Tensor) -> Tensor:
    """View (out, in) as it is, and (out, in, h, w) with channels last as (out, h * w * in)."""
    return weight.permute(0, 2, 3, 1).flatten(1) if weight.ndim == 4 else weight
