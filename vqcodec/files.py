"""Files that appear whole or not at all, and reads that take no more than was allowed.

A file is written to a temporary neighbour, flushed to the disk and renamed, and its folder flushed
too where that can be done, so that at every moment the name holds the old file, the new file or
nothing. A symbolic link is followed and its target replaced. Devices and pipes (/dev/null, a FIFO)
are written directly.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vqcodec.errors import InputError

__all__ = ["read_bounded", "whole_file", "write_whole"]


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
    try:
        yield temporary
        if target.exists():
            os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
        _sync(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    # The file is there, and whole: a folder that cannot be flushed, or not even be opened, as some
    # systems have them, does not take that back.
    with suppress(OSError):
        _sync(target.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OSError: it cannot be written; an older file of this name is as it was.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    with whole_file(target) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
