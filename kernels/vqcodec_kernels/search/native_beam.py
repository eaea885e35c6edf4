"""Beam search in C++ for CPU tensors, on `torch.get_num_threads()` threads."""

import torch
from torch import Tensor

from vqcodec_kernels import _search
from vqcodec_kernels.errors import InvalidInputError
from vqcodec_kernels.search.checks import check_finite
from vqcodec_kernels.search.native import level_name

__all__ = ["beam_codes"]


def beam_codes(
    x: Tensor, codebooks: Tensor, biases: Tensor, beams: int, *, level: str | None = None
) -> tuple[Tensor, Tensor]:
    """Search with beams; see `beam.beam_codes`. Arguments are checked for shape and type."""
    check_finite("biases", biases)
    x, codebooks, biases = x.contiguous(), codebooks.contiguous(), biases.contiguous()
    stages, size, dim = codebooks.shape
    codes = torch.empty(len(x), stages, dtype=torch.int64)
    errors = torch.empty(len(x), stages)
    what, index = _search.search_beams(
        x.data_ptr(),
        len(x),
        dim,
        codebooks.data_ptr(),
        size,
        biases.data_ptr(),
        stages,
        beams,
        codes.data_ptr(),
        errors.data_ptr(),
        torch.get_num_threads(),
        level_name(level),
    )
    if what:
        name = ("x", "codebooks")[what - 1]
        raise InvalidInputError(f"{name} must be finite, got NaN or infinity in row {index}")
    return codes, errors
