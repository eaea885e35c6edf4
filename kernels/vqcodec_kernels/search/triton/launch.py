# mypy: disable-error-code="import-untyped"
"""What every Triton operator needs to know of its arguments and its device."""

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import triton
from torch import Tensor

from vqcodec_kernels.errors import BackendError
from vqcodec_kernels.search.triton.codebook import Codebooks
from vqcodec_kernels.search.triton.tiles import Device

__all__ = ["as_books", "batch_parts", "find_device", "on_device", "readable"]

# What a grid may have along its second axis; the first takes the blocks of rows.
_BATCHES_AT_ONCE = 65535

# The interpreter runs on the CPU; small tiles keep it quick and still loop over several.
_INTERPRETED = Device(processors=4, shared_bytes=232448, capability=9)


def on_device(x: Tensor) -> AbstractContextManager[Any]:
    """Launch on the device of x, whichever is current.

    Raises BackendError unless x is on a CUDA device, or Triton interprets its kernels.
    """
    if x.is_cuda:
        return torch.cuda.device(x.device)
    if not triton.knobs.runtime.interpret:
        raise BackendError(
            f"backend 'triton' needs CUDA tensors or TRITON_INTERPRET=1, got device "
            f"{str(x.device)!r}"
        )
    return nullcontext()


def find_device(device: torch.device) -> Device:
    """Measure the device; the sizes do not depend on its name."""
    return _INTERPRETED if device.type == "cpu" else _cuda_processor(device.index)


@functools.cache
def _cuda_processor(index: int) -> Device:
    properties = triton.runtime.driver.active.utils.get_device_properties(index)
    return Device(
        properties["multiprocessor_count"],
        properties["max_shared_mem"],
        torch.cuda.get_device_capability(index)[0],
    )


def batch_parts(batches: int) -> list[slice]:
    """Cut a batch of any size into parts that one grid can hold."""
    starts = range(0, batches, _BATCHES_AT_ONCE)
    return [slice(start, min(start + _BATCHES_AT_ONCE, batches)) for start in starts]


def readable(values: Tensor) -> Tensor:
    """The same values, in a type that the kernels read exactly where they run.

    Triton's interpreter widens subnormal bfloat16 to other numbers. Nothing changes on a device.
    """
    if values.is_cuda or values.dtype != torch.bfloat16:
        return values
    least = torch.finfo(torch.bfloat16).tiny
    subnormal = (values != 0) & (values.abs() < least)
    return values.float() if bool(subnormal.any()) else values


def as_books(x: Tensor, codebook: Tensor, bias: Tensor | None) -> tuple[Tensor, Codebooks]:
    """Flatten the leading sizes: x (B, N, D) and `Codebooks` of B, all contiguous."""
    size, dim = codebook.shape[-2:]
    x, codebook = readable(x), readable(codebook)
    books = codebook.reshape(-1, size, dim).contiguous()
    rows = x.numel() // (len(books) * dim) if x.numel() else 0
    if bias is not None:
        bias = bias.expand(codebook.shape[:-1]).reshape(-1, size).contiguous()
    return x.reshape(len(books), rows, dim).contiguous(), Codebooks(books, bias)
