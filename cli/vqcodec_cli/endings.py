"""How a process ends when a signal asks it to: temporary files first, then by that signal."""

import os
import signal
from types import FrameType
from typing import NoReturn

from vqcodec_cli.failure import Terminated

# Signals that ask a process to end; Windows has no terminal that hangs up.
_ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def unwind_on_endings() -> None:
    """From here on SIGTERM and SIGHUP raise `Terminated`, unless they are ignored as by nohup."""
    for number in _ENDINGS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise_terminated)


def die_by(number: signal.Signals) -> NoReturn:
    """End this process by a signal, as a shell expects of an interrupted command."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)


def _raise_terminated(number: int, _frame: FrameType | None) -> NoReturn:
    # A second one would interrupt the removal of what the first one left.
    for other in _ENDINGS:
        signal.signal(other, _go_on)
    raise Terminated(signal.Signals(number))


def _go_on(_number: int, _frame: FrameType | None) -> None:
    pass
