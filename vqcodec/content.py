"""The bytes of files that are to be read: given by path or URL, or open; all of them, or some."""

from __future__ import annotations

import io
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from vqcodec.errors import InputError
from vqcodec.remote import is_url, open_url, read_url

__all__ = ["FileLike", "OpenFile", "SeekableFile", "content_of", "open_to_seek"]


class OpenFile(Protocol):
    """A file that is open for reading bytes, or what can be read like one."""

    def read(self) -> bytes:
        """All bytes that are left."""


# A file that is to be read: by its path or URL, or open.
FileLike = str | os.PathLike[str] | OpenFile


def content_of(thing: Any) -> Any:
    """The bytes of a file, given by path or URL or open for reading; anything else as it is.

    An open file is read from where it stands to its end, and left open.

    Raises:
        InputError: no regular file that can be read, or a file that is open as text; the message
            names it.

    >>> import io
    >>> content_of(io.BytesIO(b"all of it")), content_of(b"bytes")
    (b'all of it', b'bytes')
    >>> content_of("missing.png")
    Traceback (most recent call last):
    vqcodec.errors.InputError: missing.png: no such file or directory
    """
    if isinstance(thing, str | os.PathLike):
        name = os.fsdecode(thing)
        return read_url(name) if is_url(name) else _read_regular(name)
    if isinstance(thing, mmap.mmap):
        return memoryview(thing)
    if not callable(getattr(thing, "read", None)):
        return thing
    name = str(getattr(thing, "name", type(thing).__name__))
    # Asked before it is read: decoding bytes as text would fail first, in words of its own.
    if isinstance(thing, io.TextIOBase):
        raise InputError(f"{name}: is open as text, open it with mode 'rb'")
    with _named(name):
        data = thing.read()
    return _as_read(data, name)


@contextmanager
def open_to_seek(thing: Any) -> Iterator[SeekableFile | None]:
    """Open a file, given as to `content_of`, to read some of it; None where all has to be read.

    An open file stays open, and stands at its end then.

    Raises:
        InputError: as `content_of`, also while it is read.

    >>> import io
    >>> with open_to_seek(io.BytesIO(b"some of it")) as file:
    ...     file.seek(5), file.read(2)
    (5, b'of')
    """
    if isinstance(thing, str | os.PathLike):
        name = os.fsdecode(thing)
        if is_url(name):
            with open_url(name) as file:
                yield _NamedFile(file, name) if _seeks(file) else None
            return
        _check_regular(name)
        with ExitStack() as stack:
            with _named(name):
                # Heads are six bytes: a buffer would read far more than is asked for.
                opened = stack.enter_context(open(name, "rb", buffering=0))
            yield _NamedFile(opened, name)
    elif not isinstance(thing, io.TextIOBase | mmap.mmap) and _seeks(thing):
        named = _NamedFile(thing, str(getattr(thing, "name", type(thing).__name__)))
        yield named
        named.seek(0, os.SEEK_END)
    else:
        yield None


class SeekableFile(Protocol):
    """A file of bytes that can be read at any place."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""

    def tell(self) -> int:
        """The place."""


class _NamedFile:
    """A file that is named where it cannot be read."""

    def __init__(self, file: Any, name: str) -> None:
        self._file, self._name = file, name

    def read(self, size: int, /) -> bytes:
        with _named(self._name):
            return bytes(_as_read(self._file.read(size), self._name))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        with _named(self._name):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        with _named(self._name):
            return int(self._file.tell())


def _as_read(data: Any, name: str) -> Any:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"{name}: reading it gives {type(data).__name__} instead of bytes")
    return data


def _seeks(file: Any) -> bool:
    """Whether it is a file that goes to any place; some say so and do not."""
    if not all(callable(getattr(file, name, None)) for name in ("read", "seek", "tell")):
        return False
    try:
        place = file.tell()
        file.seek(0, os.SEEK_END)
        file.seek(place)
    except (OSError, ValueError):
        return False
    return True


def _read_regular(path: str) -> bytes:
    _check_regular(path)
    with _named(path):
        return Path(path).read_bytes()


def _check_regular(path: str) -> None:
    """Refuse what is none: a pipe may never end, and a device has no content of its own."""
    with _named(path):
        mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}")


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say of which file the system, or a closed file, refuses the bytes."""
    try:
        yield
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name}: {why[:1].lower()}{why[1:]}") from error
