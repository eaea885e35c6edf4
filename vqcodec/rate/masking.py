"""What is loud masks noise: a bit may cost more there, and has to cost less elsewhere."""

from __future__ import annotations

from torch import Tensor

__all__ = ["price_weights"]

# Weights are powers of two, so that positions of one weight are many and searched together.
_LEAST, _MOST = -4, 2
_SILENT = 1e-12


def price_weights(rows: Tensor, *, usual: float, masking: float) -> Tensor:
    """How many times its usual price a bit costs at each position, float32 (N,), 1/16 to 4.

    The energy of a position over the usual one, to the power `masking`, as the nearest power of
    two: at 1 noise is as far below a soft position as below a loud one, at 0 all weights are 1.

    Args:
        rows: a latent, float32 (N, D).
        usual: mean square of a latent's numbers where the weight is 1.
        masking: at least 0.

    >>> import torch
    >>> rows = torch.tensor([[0.0, 0.0], [0.1, 0.1], [1.0, 1.0], [1.5, 1.5], [9.0, 9.0]])
    >>> price_weights(rows, usual=1.0, masking=0.75)
    tensor([0.0625, 0.0625, 1.0000, 2.0000, 4.0000])
    """
    energy = rows.square().mean(1).clamp_min(_SILENT)
    octaves = masking * (energy / max(usual, _SILENT)).log2()
    return octaves.round().clamp(_LEAST, _MOST).exp2()
