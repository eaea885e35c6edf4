"""Work for the processes of a batch, some of which ends the process that does it."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from vqcodec_cli.failure import RefusedError

__all__ = ["Order", "obey"]


@dataclass(frozen=True)
class Order:
    """What to do: a word of `obey`, and a name."""

    name: str
    word: str = "work"


def obey(order: Order, _: Callable[[int, int], None]) -> tuple[dict[str, int | str], str]:
    """Do as the order says, and tell which process did it."""
    if order.word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if order.word == "exit":
        os._exit(3)
    if order.word == "refuse":
        raise RefusedError("will not")
    if order.word == "sleep":
        time.sleep(600)
    return {"input": order.name, "process": os.getpid()}, f"did {order.name}"
