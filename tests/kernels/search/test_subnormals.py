"""Half precision below its smallest normal number: every backend finds the same codes there too."""

from typing import Any

import pytest
import torch
from torch import Tensor

import vqcodec_kernels

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ROWS, SIZE, DIM = 33, 11, 7
# A scale at which some values of each type are subnormal and some are not.
SCALES = {torch.bfloat16: 1e-38, torch.float16: 3e-5, torch.float32: 1e-38}


@pytest.mark.parametrize("backend", ["native", "triton"])
@pytest.mark.parametrize(
    ("of_rows", "of_codes"),
    [
        (torch.bfloat16, torch.bfloat16),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.bfloat16),
        (torch.float16, torch.float16),
    ],
)
def test_subnormal_values(backend: str, of_rows: torch.dtype, of_codes: torch.dtype) -> None:
    device = "cpu"
    if backend == "triton":
        pytest.importorskip("triton")
        device = DEVICE
    x = (torch.randn(ROWS, DIM) * SCALES[of_rows]).to(of_rows)
    books = (torch.randn(2, SIZE, DIM) * SCALES[of_codes]).to(of_codes)
    chosen = torch.arange(ROWS) % SIZE

    def results(backend: str, device: str) -> list[Tensor]:
        rows, codebooks = x.to(device), books.to(device)
        options: dict[str, Any] = {"backend": backend}
        found = [
            *vqcodec_kernels.nearest_code(rows, codebooks[0], return_distance=True, **options),
            vqcodec_kernels.residual_codes(rows, codebooks, **options),
            *vqcodec_kernels.quantize_vectors(rows, codebooks[0], **options),
            *vqcodec_kernels.code_statistics(rows, chosen.to(device), SIZE, **options),
        ]
        return [tensor.cpu() for tensor in found]

    for found, expected in zip(results(backend, device), results("torch", "cpu"), strict=True):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
