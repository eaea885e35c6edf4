"""Keeping codebooks equal on all processes of a distributed training run."""

from __future__ import annotations

import torch.distributed as distributed
from torch import Tensor

__all__ = ["from_first_process", "mean_over_processes", "on_any_process"]


def mean_over_processes(tensor: Tensor) -> Tensor:
    """Average a tensor over all processes; on its own without a process group."""
    if _alone():
        return tensor
    total = tensor.clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def from_first_process(tensor: Tensor) -> Tensor:
    """Give every process the tensor of process 0; shapes must agree."""
    if _alone():
        return tensor
    shared = tensor.clone()
    distributed.broadcast(shared, src=0)
    return shared


def on_any_process(flag: Tensor) -> bool:
    """Whether a flag, bool (), is set on this process or another; all get the same answer."""
    return bool(mean_over_processes(flag.float()) > 0)


def _alone() -> bool:
    return not (distributed.is_available() and distributed.is_initialized())
