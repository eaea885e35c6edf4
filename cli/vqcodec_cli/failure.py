"""What the command says when something goes wrong, and the exit code it ends with.

0 ok · 1 bad data · 2 usage · 3 model · 4 input or output, memory, a missing package or device.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vqcodec.errors import (
    BackendError,
    InputError,
    MissingDependencyError,
    ModelError,
    VqcodecError,
)
from vqcodec_cli.terminal import Loudness, how_loud, printable, say

OK, BAD_DATA, USAGE, MODEL, IO = range(5)


class UsageError(Exception):
    """A command line that asks for something impossible or forbidden; exit code 2."""


class RefusedError(OSError):
    """A file that the command will not read or write; exit code 4."""


class Terminated(BaseException):
    """A signal asks the process to end; unwinds the stack so that temporary files are removed."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number)
        self.number = number


# What a single file may fail with; anything else is a defect of ours and shows its traceback.
EXPECTED = (VqcodecError, UsageError, OSError, MemoryError)


def exit_code(error: BaseException) -> int:
    """The exit code of an expected error."""
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, ModelError):
        return MODEL
    if isinstance(error, (MissingDependencyError, BackendError, OSError, MemoryError)):
        return IO
    return BAD_DATA


def reason(error: BaseException, subject: str | None = None) -> str:
    """The error in one line; names the file only where it is not the subject.

    With `--verbose` also its name, and what it came of.
    """
    why = _why(error, subject)
    if how_loud() is not Loudness.VERBOSE:
        return why
    causes, cause = [type(error).__name__], error.__cause__
    while cause is not None:
        causes.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    return printable(f"{why} [{' <- '.join(causes)}]")


def _why(error: BaseException, subject: str | None) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, OSError) and error.strerror:
        why = error.strerror[0].lower() + error.strerror[1:]
        other = None if error.filename in (None, subject) else os.fsdecode(error.filename)
        return printable(f"{other}: {why}" if other else why)
    text = str(error) or type(error).__name__
    return printable(text.removeprefix(f"{subject}: "))


@contextmanager
def torch_memory_as_python() -> Iterator[None]:
    """Turn the RuntimeError with which torch says that memory ran out into a MemoryError."""
    try:
        yield
    except RuntimeError as error:
        if "memory" not in str(error) or "alloc" not in str(error):
            raise
        raise MemoryError from error


@contextmanager
def options_refused() -> Iterator[None]:
    """What is refused here is an option, and not what is in a file."""
    try:
        yield
    except InputError as error:
        raise UsageError(str(error)) from error


def complain(subject: str | None, why: str) -> None:
    """Write `vqcodec: SUBJECT: WHY` to stderr, if there is one."""
    if sys.stderr is not None:
        say(": ".join(["vqcodec", *([subject] if subject else []), why]), to=sys.stderr)


def note(subject: str | None, what: str) -> None:
    """Write such a line to stderr that only those want who asked for `--verbose`."""
    if how_loud() is Loudness.VERBOSE:
        complain(subject, what)


__all__ = [
    "BAD_DATA",
    "EXPECTED",
    "IO",
    "MODEL",
    "OK",
    "USAGE",
    "RefusedError",
    "Terminated",
    "UsageError",
    "complain",
    "exit_code",
    "note",
    "options_refused",
    "reason",
    "torch_memory_as_python",
]
