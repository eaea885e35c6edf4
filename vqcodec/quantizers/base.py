"""What every quantizer gives back."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Quantized"]


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
