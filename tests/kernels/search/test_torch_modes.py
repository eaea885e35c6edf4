"""What people set around a call, for a process or for a block, changes no result."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_modes import default_dtype

import vqcodec_kernels
from vqcodec_kernels.errors import BackendError
from vqcodec_kernels.search.backend import BACKENDS
from vqcodec_kernels.search.testing import HARD_CASES, hard_case

X, BOOKS, BIAS = torch.randn(77, 20), torch.randn(3, 37, 20), torch.rand(37)
CODES, MASK = torch.randint(37, (77,)), torch.rand(77) < 0.7

# What a backend does not have.
MISSING = {("beam_codes", "triton"), ("beams of heads", "triton")}
MISSING |= {("k nearest", "native"), ("k nearest", "triton")}

CALLS: dict[str, Callable[[str], Any]] = {
    "nearest_code": lambda backend: vqcodec_kernels.nearest_code(
        X, BOOKS[0], BIAS, return_distance=True, backend=backend
    ),
    "nearest_code_fast": lambda backend: vqcodec_kernels.nearest_code_fast(
        X, BOOKS[0], backend=backend
    ),
    "residual_codes": lambda backend: vqcodec_kernels.residual_codes(X, BOOKS, backend=backend),
    "no stages": lambda backend: vqcodec_kernels.residual_codes(
        X, BOOKS, stages=0, backend=backend
    ),
    "beam_codes": lambda backend: vqcodec_kernels.beam_codes(
        X, BOOKS, BIAS, beams=3, backend=backend
    ),
    "quantize_vectors": lambda backend: vqcodec_kernels.quantize_vectors(
        X, BOOKS[0], backend=backend
    ),
    "code_statistics": lambda backend: vqcodec_kernels.code_statistics(
        X, CODES, 37, backend=backend
    ),
    "half precision": lambda backend: vqcodec_kernels.quantize_vectors(
        X.half(), BOOKS[0].bfloat16(), BIAS, backend=backend
    ),
    "k nearest": lambda backend: vqcodec_kernels.nearest_code(
        X, BOOKS[0], BIAS, k=3, return_distance=True, backend=backend
    ),
    "masks": lambda backend: (
        *vqcodec_kernels.quantize_vectors(X, BOOKS[0], mask=MASK, backend=backend),
        *vqcodec_kernels.code_statistics(X, CODES, 37, mask=MASK, backend=backend),
    ),
    "heads": lambda backend: vqcodec_kernels.quantize_vectors(
        X.expand(2, 3, 77, 20), BOOKS, backend=backend
    ),
    "values": lambda backend: vqcodec_kernels.residual_codes(
        X, BOOKS, return_values=True, backend=backend
    ),
    "beams of heads": lambda backend: vqcodec_kernels.beam_codes(
        X.half().expand(2, 3, 77, 20), BOOKS[:, None], beams=3, backend=backend
    ),
    "no rows": lambda backend: vqcodec_kernels.quantize_vectors(X[:0], BOOKS[0], backend=backend),
}


MODES: dict[str, Callable[[], Any]] = {
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "float16": lambda: default_dtype(torch.float16),
    "meta": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "inference": torch.inference_mode,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CALLS)
def test_operators(name: str, backend: str, mode: str) -> None:
    if backend == "triton":
        pytest.importorskip("triton")
    if (name, backend) in MISSING:
        with pytest.raises(BackendError):
            CALLS[name](backend)
        return
    expected = CALLS[name](backend)
    with MODES[mode]():
        found = CALLS[name](backend)
    if isinstance(expected, Tensor):
        expected, found = (expected,), (found,)
    for one, other in zip(found, expected, strict=True):
        assert (one.dtype, one.device) == (other.dtype, other.device)
        assert torch.equal(one, other)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "inference"])
def test_gradients(mode: str) -> None:
    def gradients() -> tuple[Tensor, ...]:
        x, codebook = X.clone().requires_grad_(), BOOKS[0].clone().requires_grad_()
        found = vqcodec_kernels.quantize_vectors(x, codebook)
        return torch.autograd.grad(found.values.sum() + found.squared_error.sum(), (x, codebook))

    expected = gradients()
    with MODES[mode]():
        found = gradients()
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", HARD_CASES)
def test_hard_cases(name: str, mode: str) -> None:
    expected = hard_case(name, 7, 5, 3)
    with MODES[mode]():
        found = hard_case(name, 7, 5, 3)
    for one, other in zip(found, expected, strict=True):
        if one is None or other is None:
            assert one is other
        else:
            assert torch.equal(one, other)
