"""The only place that chooses between plain torch, C++ and Triton."""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import torch

from vqcodec_kernels.errors import BackendError, InvalidInputError

__all__ = ["BACKENDS", "find_operator"]

_MODULES = {
    "torch": dict.fromkeys(
        (
            "nearest_code",
            "nearest_code_fast",
            "residual_codes",
            "quantize_vectors",
            "code_statistics",
        ),
        "reference",
    ),
    "native": dict.fromkeys(
        (
            "nearest_code",
            "nearest_code_fast",
            "residual_codes",
            "quantize_vectors",
            "code_statistics",
        ),
        "native",
    ),
    "triton": {
        "nearest_code": "triton.nearest",
        "nearest_code_fast": "triton.nearest",
        "residual_codes": "triton.residual",
        "quantize_vectors": "triton.quantize",
        "code_statistics": "triton.statistics",
    },
}

BACKENDS = tuple(_MODULES)


def find_operator(name: str, backend: str | None, device: torch.device) -> Callable[..., Any]:
    """The function that computes an operator on a device.

    Without a backend: native for CPU tensors, triton for CUDA tensors, torch for every other.
    Raises: InvalidInputError: no backend has this name. BackendError: it cannot run here, or not
    on this device; nothing else is tried in its place.
    """
    if backend is None:
        backend = {"cpu": "native", "cuda": "triton"}.get(device.type, "torch")
    if backend not in _MODULES:
        raise InvalidInputError(f"backend must be one of {BACKENDS}, got {backend!r}")
    if backend == "native" and device.type != "cpu":
        raise BackendError(f"backend 'native' needs CPU tensors, got device {str(device)!r}")
    return _load(name, backend)


@functools.cache
def _load(name: str, backend: str) -> Callable[..., Any]:
    module = _MODULES[backend][name]
    try:
        loaded = importlib.import_module(f"vqcodec_kernels.search.{module}")
    except ImportError as error:
        raise BackendError(f"backend {backend!r} is not available here: {error}") from error
    return getattr(loaded, name)  # type: ignore[no-any-return]
