"""Where networks run, in which of torch's modes, and that they run at all in a forked process.

Torch computes on threads that belong to the thread that first asked for them, and a fork does not
copy them: the child would wait for them for ever. So what forks from such a thread goes on with
one, as the workers of torch's DataLoader do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vqcodec.errors import BackendError

__all__ = ["find_device", "own_modes"]

# started: more threads than this one may be there for it; lost: they were, before a fork.
_here = threading.local()


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

    Raises:
        BackendError: this process was forked and told to use threads that are not there.
    """
    _expect_threads()
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.autocast(device.type, enabled=False),
    ):
        yield


def _expect_threads() -> None:
    """Remember that torch may start threads for this one; refuse to wait for a parent's."""
    if torch.get_num_threads() == 1:
        return
    if getattr(_here, "lost", False):
        raise BackendError(
            f"torch is set to {torch.get_num_threads()} threads, which a forked process waits for "
            "in vain: call torch.set_num_threads(1), or start processes by spawn"
        )
    _here.started = True


def _go_on_alone() -> None:
    if getattr(_here, "started", False):
        _here.lost = True
        torch.set_num_threads(1)


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_go_on_alone)
