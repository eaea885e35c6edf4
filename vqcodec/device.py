"""Where networks run, and in which of torch's modes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vqcodec.errors import BackendError

__all__ = ["find_device", "own_modes"]


def find_device(name: str | torch.device) -> torch.device:
    """Find a device by name, "auto", "cpu", "cuda" or "cuda:1", or check that torch's own is here.

    Raises:
        BackendError: there is no such device here.
    """
    name = str(name)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or not (index.isdecimal() or name == kind):
        raise BackendError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:NUMBER")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise BackendError(
            f"device {name!r} was asked for, but there are {torch.cuda.device_count()} CUDA devices"
        )
    return torch.device(name)


@contextmanager
def own_modes(device: torch.device) -> Iterator[None]:
    """Compute in the precision of the tensors, without gradients, whatever the caller's modes are.

    Autocast would change codes. Tensors of the inference mode, made here or loaded here, would be
    of no use to those who train on them, nor to the search that differentiates the synthesis.

    >>> with torch.inference_mode(), own_modes(torch.device("cpu")):
    ...     torch.ones(2).is_inference(), torch.is_grad_enabled()
    (False, False)
    """
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.autocast(device.type, enabled=False),
    ):
        yield
