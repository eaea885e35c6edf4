"""The optimizer of a training run: AdamW, or Muon for what is a matrix."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vqcodec.training.muon import Muon
from vqcodec.transforms.layout import channels_last

__all__ = ["Optimizer"]

_WEIGHT_DECAY = 1e-4
# What each part remembers of a parameter: one number, or one for each of the parameter's.
_SLOTS = {
    "adam": {"step": True, "exp_avg": False, "exp_avg_sq": False},
    "muon": {"momentum_buffer": False},
}


class Optimizer:
    """Steps biases with AdamW, and matrices with AdamW or Muon (Jordan 2024), as one.

    Muon makes all directions of a matrix's update equally long. Its steps are as long as AdamW's
    typical ones, so both share one learning rate. docs/experiments.md says which is the better
    one where.

    Lays the convolutions out as they are fastest; from then on parameters must keep their memory,
    which Muon sees as matrices of one row for each output.
    """

    def __init__(self, model: nn.Module, *, muon: bool) -> None:
        for parameter in model.parameters():
            parameter.data = channels_last(parameter.data)
        self._tall = [p for p in model.parameters() if muon and p.ndim > 1]
        # One memory, two shapes: a step of the matrix is a step of the parameter.
        self._matrices = [nn.Parameter(_as_matrix(parameter.data)) for parameter in self._tall]
        pairs = zip(self._tall, self._matrices, strict=True)
        assert all(tall.data_ptr() == matrix.data_ptr() for tall, matrix in pairs)
        self._parts: dict[str, torch.optim.Optimizer] = {
            "adam": torch.optim.AdamW(
                [p for p in model.parameters() if not (muon and p.ndim > 1)],
                betas=(0.9, 0.98),
                weight_decay=_WEIGHT_DECAY,
                fused=True,
            )
        }
        if self._matrices:
            self._parts["muon"] = Muon(
                self._matrices, weight_decay=_WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"
            )

    @property
    def kind(self) -> str:
        """The names of its parts: what one kind remembers says nothing to another."""
        return " and ".join(self._parts)

    def step(self, learning_rate: float) -> None:
        """Move all parameters against their gradients, and forget the gradients."""
        for parameter, matrix in zip(self._tall, self._matrices, strict=True):
            matrix.grad = None if parameter.grad is None else _as_matrix(parameter.grad)
            parameter.grad = None
        for optimizer in self._parts.values():
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
            optimizer.step()
            optimizer.zero_grad()

    def tensors(self) -> dict[str, Tensor]:
        """What the optimizer remembers, by name; `load` takes it back."""
        return {
            f"{name}.{index}.{slot}": value
            for name, optimizer in self._parts.items()
            for index, slots in optimizer.state_dict()["state"].items()
            for slot, value in slots.items()
        }

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of what `tensors` gives once a step is taken, all of it float32."""
        return {
            f"{name}.{index}.{slot}": () if single else tuple(parameter.shape)
            for name, optimizer in self._parts.items()
            for index, parameter in enumerate(optimizer.param_groups[0]["params"])
            for slot, single in _SLOTS[name].items()
        }

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `tensors` gave."""
        for name, optimizer in self._parts.items():
            parameters = optimizer.param_groups[0]["params"]
            slots: dict[int, dict[str, Tensor]] = {}
            for key, tensor in tensors.items():
                part, index, slot = key.split(".")
                if part != name:
                    continue
                if tensor.ndim:
                    # The kernels want the moments in the parameter's own memory layout.
                    tensor = torch.empty_like(parameters[int(index)]).copy_(tensor)
                slots.setdefault(int(index), {})[slot] = tensor
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": slots, "param_groups": groups})


def _as_matrix(weight: Tensor) -> Tensor:
    """Weights (out, in, *kernel) as (out, all others): a view, in the layout of `channels_last`."""
    # That of one axis has its channels first.
    return (weight.movedim(1, -1) if weight.ndim > 3 else weight).flatten(1)
