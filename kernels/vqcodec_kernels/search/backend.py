"""The only place that chooses between plain torch, C++ and Triton."""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import torch

from vqcodec_kernels.errors import BackendError, InvalidInputError

__all__ = ["BACKENDS", "OPERATORS", "find_operator"]

BACKENDS = ("torch", "native", "triton")

# The module of each operator for each of the backends. `nearest_codes` is what `ops.nearest_code`
# asks for with k.
_MODULES = {
    "nearest_code": ("reference", "native", "triton.nearest"),
    "nearest_code_fast": ("reference", "native", "triton.nearest"),
    "nearest_codes": ("ranked", None, None),
    "residual_codes": ("reference", "native", "triton.residual"),
    "quantize_vectors": ("reference", "native", "triton.quantize"),
    "code_statistics": ("reference", "native", "triton.statistics"),
    "beam_codes": ("reference", "native", None),
}

OPERATORS = tuple(_MODULES)


def find_operator(name: str, backend: str | None, device: torch.device) -> Callable[..., Any]:
    """The function that computes an operator on a device.

    Without a backend: native for CPU tensors, triton for CUDA tensors, torch for every other device
    and for what these do not have.
    Raises: InvalidInputError: no backend has this name. BackendError: it lacks the operator, or
    cannot run here, or not on this device; nothing else is tried in its place.
    """
    if backend is None:
        backend = {"cpu": "native", "cuda": "triton"}.get(device.type, "torch")
        if _module(name, backend) is None:
            backend = "torch"
    if backend not in BACKENDS:
        raise InvalidInputError(f"backend must be one of {BACKENDS}, got {backend!r}")
    if backend == "native" and device.type != "cpu":
        raise BackendError(f"backend 'native' needs CPU tensors, got device {str(device)!r}")
    return _load(name, backend)


def _module(name: str, backend: str) -> str | None:
    return _MODULES[name][BACKENDS.index(backend)]


@functools.cache
def _load(name: str, backend: str) -> Callable[..., Any]:
    module = _module(name, backend)
    if module is None:
        raise BackendError(f"backend {backend!r} has no operator {name!r}")
    try:
        loaded = importlib.import_module(f"vqcodec_kernels.search.{module}")
    except ImportError as error:
        raise BackendError(f"backend {backend!r} is not available here: {error}") from error
    return getattr(loaded, name)  # type: ignore[no-any-return]
