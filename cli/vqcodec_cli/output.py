"""Outputs: what is refused before the work begins, and where they go in the end."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vqcodec.files import open_whole
from vqcodec_cli.failure import RefusedError, UsageError

STDOUT = "-"


def check_output(path: Path, *, force: bool, makes_folder: bool = False) -> None:
    """Refuse an output that could not be written later, before the expensive work begins.

    Args:
        makes_folder: folders above it that are missing will be made.

    Raises:
        OSError: the folder is missing, is not a folder or cannot be written; the name is too
            long; the file exists and `force` is false.
    """
    if makes_folder and not path.parent.exists():
        folder = path.parent
        while not os.path.lexists(folder):
            folder = folder.parent
        check_folder(folder)
        return
    target = Path(os.path.realpath(path))
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        check_folder(target.parent)
        return
    if stat.S_ISDIR(mode):
        raise RefusedError(f"{path} is a folder")
    if stat.S_ISREG(mode):
        if not force:
            raise RefusedError(f"{path} exists already (-f overwrites it)")
        check_folder(target.parent)


def check_folder(folder: Path) -> None:
    """Refuse a folder that no file can be written into.

    Raises:
        OSError: it is missing, not a folder, or not writable.
    """
    if not folder.exists():
        raise RefusedError(f"no folder {folder}")
    if not folder.is_dir():
        raise RefusedError(f"{folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RefusedError(f"the folder {folder} is not writable")


def need_stdout() -> None:
    """Refuse to do what is asked for its words alone where these cannot be written."""
    if sys.stdout is None:
        raise RefusedError("standard output is closed")


def check_stdout(*, what: str) -> None:
    """Refuse to write binary data to a terminal."""
    need_stdout()
    if sys.stdout.isatty():
        raise UsageError(f"will not write {what} to a terminal; give -o FILE or redirect")


def write_stdout(data: bytes) -> None:
    """Write the whole of `data` to standard output."""
    left = memoryview(data)
    # Unbuffered, a write may take a part, and says so by its count alone.
    while left:
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


@contextmanager
def open_file(
    path: Path,
    *,
    force: bool,
    makes_folder: bool = False,
    times: tuple[int, int] | None = None,
) -> Iterator[BinaryIO]:
    """Open a file that appears whole or not at all, if `check_output` allows it.

    Args:
        makes_folder: make the folders above it that are missing.
        times: of the last access and the last change, in nanoseconds; None for now.

    Raises:
        OSError: it cannot be written; an older file of this name is as it was.
    """
    if makes_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    check_output(path, force=force)
    with open_whole(path, times=times) as file:
        yield file


def write_file(path: Path, data: bytes, *, force: bool, makes_folder: bool = False) -> None:
    """Write a file in one go; see `open_file`."""
    with open_file(path, force=force, makes_folder=makes_folder) as file:
        file.write(data)
