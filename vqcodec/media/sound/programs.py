"""Programs that evaluation runs: bytes in by standard input, bytes out by standard output."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from vqcodec.errors import InputError, MissingDependencyError

__all__ = ["find_programs", "first_line", "run"]


def find_programs(*names: str, needed_by: str, package: str) -> None:
    """Check that programs can be run, before there is much to lose.

    Raises:
        MissingDependencyError: one is not on the path; says which, and the system's package of it.

    >>> find_programs("no-such-coder", needed_by="Opus", package="opus-tools")
    Traceback (most recent call last):
    vqcodec.errors.MissingDependencyError: Opus needs the program no-such-coder: install opus-tools
    """
    for name in names:
        if shutil.which(name) is None:
            message = f"{needed_by} needs the program {name}: install {package}"
            raise MissingDependencyError(message)


def run(command: Sequence[str], data: bytes) -> bytes:
    """What a program makes of bytes.

    Raises:
        InputError: it fails; shows the last line of what it says.
    """
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise InputError(f"{command[0]} failed with {done.returncode} and said {said[-1]:.200}")
    return done.stdout


def first_line(command: Sequence[str]) -> str:
    """The first line that a program prints about itself."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return next(iter((done.stdout + done.stderr).splitlines()), "of unknown version").strip()
