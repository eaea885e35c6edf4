"""Where networks run."""

from __future__ import annotations

import torch

from vqcodec.errors import BackendError

__all__ = ["find_device"]


def find_device(name: str) -> torch.device:
    """Find a device by name: "auto", "cpu", "cuda" or "cuda:1".

    Raises:
        BackendError: there is no such device here.
    """
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
