"""One process, or several that train one model together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

__all__ = [
    "ALONE",
    "Processes",
    "from_first_process",
    "join_processes",
    "mean_over_processes",
    "on_any_process",
]


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this one is; process 0 writes files and reports."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0

    def agree(self, value: float) -> float:
        """What process 0 says the value is: clocks differ, and all must stop at the same step."""
        if self.count == 1:
            return value
        return float(from_first_process(torch.tensor(value, dtype=torch.float64)))


ALONE = Processes()


@contextmanager
def join_processes(device: torch.device) -> Iterator[tuple[Processes, torch.device]]:
    """Join the group that `torchrun` started, if it did; give each process a device of its own."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(), device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(distributed.get_rank(), count), device
    finally:
        distributed.destroy_process_group()


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
