"""What every quantizer is and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor, nn

__all__ = ["Float32Module", "Quantized"]


@dataclass(frozen=True)
class Quantized:
    """A quantized latent.

    Attributes:
        values: float32, the latent's shape; gradients pass straight through to the latent.
        codes: int64 (B, S, *positions), each in [0, K).
        commitment: float32 scalar, mean squared distance of the latent to its (fixed) values.
        bits: float32 scalar, mean cost of a position's codes under the running code frequencies.
    """

    values: Tensor
    codes: Tensor
    commitment: Tensor
    bits: Tensor


class Float32Module(nn.Module):
    """A module whose own tensors stay float32 when the model around it is cast.

    Averages over many steps starve in half precision, and codes would depend on the cast.

    >>> import torch
    >>> class Means(Float32Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.register_buffer("means", torch.zeros(3, dtype=torch.float32))
    >>> nn.Sequential(nn.Linear(3, 3), Means()).half()[1].means.dtype
    torch.float32
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], *arguments: Any, **options: Any) -> Self:
        def keep(tensor: Tensor) -> Tensor:
            applied = fn(tensor)
            return applied if applied.dtype == tensor.dtype else tensor.to(applied.device)

        super()._apply(keep, *arguments, **options)  # type: ignore[no-untyped-call]
        return self
