"""Files that appear whole or not at all, and reads that take no more than was allowed.

A file is written to a temporary neighbour, flushed to the disk and renamed, and its folder flushed
too where that can be done, so that at every moment the name holds the old file, the new file or
nothing. A symbolic link is followed and its target replaced. Devices and pipes (/dev/null, a FIFO)
are written directly. What a killed process left behind, the next one that writes into the folder
removes.
"""

from __future__ import annotations

import functools
import io
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from vqcodec.errors import InputError

__all__ = [
    "open_whole",
    "read_bounded",
    "whole_file",
    "write_whole",
]

_TEMPORARY = re.compile(r"\.vqcodec-[0-9a-f]{16}\.tmp")
# Seconds after which nobody writes to a temporary file any more.
_ABANDONED = 3600.0


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a neighbour of `path` to write to, which takes its place once the block has ended well.

    Whatever ends the block otherwise, the neighbour is gone and an older file is as it was.

    Raises:
        OSError: the folder cannot be written, or the block wrote nothing.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder, "a.txt")) as partial:
    ...         _ = partial.write_text("all of it")
    ...     os.listdir(folder)
    ['a.txt']
    """
    target = Path(os.path.realpath(path))
    # A short name of its own: the target's may be as long as the file system allows.
    temporary = target.parent / f".vqcodec-{secrets.token_hex(8)}.tmp"
    _remove_leftovers(target.parent)
    try:
        yield temporary
        if target.exists():
            os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
        _sync(temporary)
        os.replace(temporary, target)
    except OSError as error:
        # The neighbour's name says nothing to those who asked for the file.
        if error.filename == str(temporary):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
    # The file is there, and whole: a folder that cannot be flushed, or not even be opened, as some
    # systems have them, does not take that back.
    with suppress(OSError):
        _sync(target.parent)


@contextmanager
def open_whole(path: Path, *, times: tuple[int, int] | None = None) -> Iterator[BinaryIO]:
    """Open a file for writing that appears whole, once the block has ended well, or not at all.

    Args:
        times: of its last access and its last change, in nanoseconds; None for now.

    Raises:
        OSError: it cannot be written; an older file of this name is as it was.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        # A pipe takes bytes in their order alone.
        buffer = io.BytesIO()
        yield buffer
        target.write_bytes(buffer.getbuffer())
        return
    with whole_file(target) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        if times is not None:
            os.utime(temporary, ns=times)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OSError: it cannot be written; an older file of this name is as it was.
    """
    with open_whole(path) as file:
        file.write(data)


def read_bounded(path: str | Path, limit: int, what: str) -> bytes:
    """Read a file of at most `limit` bytes.

    Args:
        what: what it should hold, for the message of an error.

    Raises:
        InputError: there is more.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InputError(f"{path}: more than {limit} bytes of {what}")
    return data


@functools.cache
def _remove_leftovers(folder: Path) -> None:
    """Remove old temporary files of killed processes; each process looks into a folder once."""
    # A folder may be one that can be written and not read, and another process as thorough.
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _TEMPORARY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if time.time() - entry.stat().st_mtime > _ABANDONED:
                        os.unlink(entry)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
