"""The operators for fake tensors: what they return, with nothing in it.

The real operators fill it, so both have the same shapes and dtypes.
"""

import torch
from torch import Tensor

__all__ = [
    "beam_codes",
    "code_statistics",
    "nearest_code",
    "nearest_code_fast",
    "nearest_codes",
    "quantize_vectors",
    "residual_codes",
]


def nearest_code(
    x: Tensor, codebook: Tensor, bias: Tensor | None, return_distance: bool, backend: str | None
) -> tuple[Tensor, Tensor]:
    """Codes, and distances or an empty tensor."""
    shape = x.shape[:-1]
    codes = x.new_empty(shape, dtype=torch.int64)
    return codes, x.new_empty(shape if return_distance else (0,), dtype=torch.float32)


def nearest_code_fast(
    x: Tensor, codebook: Tensor, bias: Tensor | None, backend: str | None
) -> Tensor:
    """Codes."""
    return x.new_empty(x.shape[:-1], dtype=torch.int64)


def nearest_codes(
    x: Tensor, codebook: Tensor, bias: Tensor | None, k: int, backend: str | None
) -> tuple[Tensor, Tensor]:
    """Codes and distances."""
    shape = (*x.shape[:-1], k)
    return x.new_empty(shape, dtype=torch.int64), x.new_empty(shape, dtype=torch.float32)


def residual_codes(
    x: Tensor, codebooks: Tensor, biases: Tensor | None, stages: int, backend: str | None
) -> Tensor:
    """Codes."""
    return x.new_empty((*x.shape[:-1], stages), dtype=torch.int64)


def beam_codes(
    x: Tensor, codebooks: Tensor, biases: Tensor | None, beams: int, backend: str | None
) -> tuple[Tensor, Tensor]:
    """Codes and squared errors."""
    shape = (*x.shape[:-1], codebooks.shape[-3])
    return x.new_empty(shape, dtype=torch.int64), x.new_empty(shape, dtype=torch.float32)


def quantize_vectors(
    x: Tensor, codebook: Tensor, bias: Tensor | None, backend: str | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Values, squared errors, codes and counts.

    Floats before integers: torch's opcheck adds the outputs up in this order, in place.
    """
    return (
        x.new_empty(x.shape, dtype=codebook.dtype),
        x.new_empty(x.shape[:-1], dtype=torch.float32),
        x.new_empty(x.shape[:-1], dtype=torch.int64),
        x.new_empty(codebook.shape[:-1], dtype=torch.int64),
    )


def code_statistics(
    x: Tensor, codes: Tensor, codebook_size: int, backend: str | None
) -> tuple[Tensor, Tensor]:
    """Counts and sums."""
    shape = (*x.shape[:-2], codebook_size)
    counts = x.new_empty(shape, dtype=torch.int64)
    return counts, x.new_empty((*shape, x.shape[-1]), dtype=torch.float32)
