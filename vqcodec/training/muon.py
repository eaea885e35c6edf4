"""Muon in a precision that the processor multiplies quickly."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vqcodec.transforms.half import cpu_multiplies_bfloat16

__all__ = ["Muon", "orthogonal"]


class Muon(torch.optim.Muon):
    """torch's Muon, which orthogonalises in bfloat16; here in float32 where that is faster.

    On a CPU that has no instruction for bfloat16 its products take some twenty times as long as
    float32's: nine tenths of a step of training.
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move all parameters that have a gradient; there is no `closure`."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)

    def _move(self, parameter: Tensor, group: dict[str, Any]) -> None:
        assert group["adjust_lr_fn"] == "match_rms_adamw"
        gradient, momentum = parameter.grad, group["momentum"]
        assert gradient is not None
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        held = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        update = gradient.lerp(held, momentum) if group["nesterov"] else held
        update = orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        # As long as a typical step of AdamW (Liu et al. 2025).
        rate = 0.2 * group["lr"] * max(parameter.shape) ** 0.5
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update, alpha=-rate)


def orthogonal(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """Bring all singular values of a matrix near 1, by Newton and Schulz: (N, M) of its dtype.

    They end between some 0.7 and 1.2 with torch's coefficients and five steps (Jordan 2024).

    >>> orthogonal(5 * torch.eye(3), (3.4445, -4.775, 2.0315), 5, 1e-7).diagonal().round(decimals=1)
    tensor([0.7000, 0.7000, 0.7000])
    """
    a, b, c = coefficients
    half = matrix.device.type != "cpu" or cpu_multiplies_bfloat16()
    x = matrix.to(torch.bfloat16 if half else torch.float32)
    turned = x.shape[0] > x.shape[1]
    x = x.T if turned else x
    x = x / x.norm().clamp_min(eps)
    for _ in range(steps):
        products = x @ x.T
        x = torch.addmm(x, torch.addmm(products, products, products, beta=b, alpha=c), x, beta=a)
    return (x.T if turned else x).to(matrix.dtype)
