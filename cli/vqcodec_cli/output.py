"""Outputs that appear whole or not at all.

A file is written to a temporary neighbour, flushed to the disk and renamed, so that at every
moment the name holds the old file, the new file or nothing. A symbolic link is followed and its
target replaced. Devices and pipes (/dev/null, a FIFO) are written directly.
"""

import os
import secrets
import stat
import sys
from pathlib import Path

from vqcodec_cli.failure import RefusedError, UsageError

STDOUT = "-"


def check_output(path: Path, *, force: bool) -> None:
    """Refuse an output that could not be written later, before the expensive work begins.

    Raises:
        OSError: the folder is missing, is not a folder or cannot be written; the name is too
            long; the file exists and `force` is false.
    """
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


def check_stdout(*, what: str) -> None:
    """Refuse to write binary data to a terminal."""
    if sys.stdout is None:
        raise RefusedError("standard output is closed")
    if sys.stdout.isatty():
        raise UsageError(f"will not write {what} to a terminal; give -o FILE or redirect")


def write_output(target: str, data: bytes, *, force: bool) -> None:
    """Write the whole of `data` to a file, or to standard output if the target is `-`."""
    if target == STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    write_file(Path(target), data, force=force)


def write_file(path: Path, data: bytes, *, force: bool) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OSError: it cannot be written; an older file of this name is as it was.
    """
    check_output(path, force=force)
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    # A short name of its own: the target's may be as long as the file system allows.
    temporary = target.parent / f".vqcodec-{secrets.token_hex(8)}.tmp"
    try:
        _write_and_sync(temporary, data, mode_of=target)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _write_and_sync(path: Path, data: bytes, *, mode_of: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        if mode_of.exists():
            os.chmod(path, stat.S_IMODE(mode_of.stat().st_mode))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
