"""What the command's INPUT arguments mean: files, folders, patterns, URLs and standard input."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from vqcodec.remote import is_url, open_url, read_url
from vqcodec_cli.failure import RefusedError, UsageError

STDIN = "-"
STREAM_SUFFIXES = (".vqc",)


@dataclass(frozen=True)
class Source:
    """One input.

    `name` is what the user calls it (`-` is standard input); `root` is the folder below which its
    place is kept in an output folder, or None for a file that was named by itself.
    """

    name: str
    root: Path | None = None

    @property
    def is_stdin(self) -> bool:
        """Whether the bytes come from standard input."""
        return self.name == STDIN

    @property
    def is_remote(self) -> bool:
        """Whether it is a URL."""
        return is_url(self.name)

    def exists(self) -> bool:
        """Whether there is anything to read; of a URL that is not known."""
        return self.is_stdin or self.is_remote or os.path.exists(self.name)

    def is_file(self) -> bool:
        """Whether the input is a regular file, which can be read more than once."""
        return not self.is_stdin and os.path.isfile(self.name)

    def place(self) -> Path:
        """Where the input stands below an output folder."""
        path = Path(urlsplit(self.name).path if self.is_remote else self.name)
        return path.relative_to(self.root) if self.root is not None else Path(path.name)

    def head(self, count: int) -> bytes:
        """The first bytes of the input, at most so many, which `read` still gives.

        Of a pipe that has a name, and where standard input cannot be looked into, none.
        """
        if self.is_remote:
            with open_url(self.name) as file:
                return bytes(file.read(count))
        if not self.is_stdin:
            if not self.is_file():
                return b""
            with open(self.name, "rb") as file:
                return file.read(count)
        waiting = getattr(getattr(sys.stdin, "buffer", None), "peek", None)
        return b"" if waiting is None else bytes(waiting(count)[:count])

    def read(self) -> bytes:
        """All bytes of the input."""
        if self.is_remote:
            return read_url(self.name)
        return Path(self.name).read_bytes() if not self.is_stdin else _stdin().read()

    def blocks(self, count: int) -> Iterator[bytes]:
        """The bytes of the input, so many at a time as long as there are."""
        with self._opened() as file:
            while data := file.read(count):
                yield data

    def opened(self) -> BinaryIO:
        """The input, open for reading as it comes, and never closed: that is the system's."""
        if self.is_remote:
            remote: BinaryIO = open_url(self.name).__enter__()
            return remote
        return _stdin() if self.is_stdin else open(self.name, "rb")

    def _opened(self) -> AbstractContextManager[Any]:
        if self.is_remote:
            return open_url(self.name)
        return nullcontext(_stdin()) if self.is_stdin else open(self.name, "rb")


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise RefusedError("standard input is closed")
    return sys.stdin.buffer


def find_sources(arguments: Iterable[str], *, suffixes: Iterable[str]) -> list[Source]:
    """The inputs that the arguments name, folders and patterns expanded, in a fixed order.

    `suffixes` (lower case, with the dot) choose the files of a folder; a file that is named by
    itself, or by a pattern, may have any suffix. Folders are searched to the bottom, without
    hidden files and without following links to folders.

    Raises:
        UsageError: an argument is empty; standard input is given twice, or among other inputs.
        OSError: a folder holds no such file; a pattern matches nothing.
    """
    wanted = frozenset(suffixes)
    sources = [source for argument in arguments for source in _expand(argument, wanted)]
    if len(sources) > 1 and any(source.is_stdin for source in sources):
        raise UsageError("standard input (-) cannot be one of several inputs")
    return sources


def _expand(argument: str, suffixes: frozenset[str]) -> Iterator[Source]:
    if not argument:
        raise UsageError("an input is '', which names no file")
    if argument == STDIN:
        yield Source(STDIN)
    elif os.path.isdir(argument):
        yield from _folder(argument, suffixes)
    elif is_url(argument) or os.path.lexists(argument) or not glob.has_magic(argument):
        yield Source(argument)
    else:
        yield from _pattern(argument, suffixes)


def _folder(folder: str, suffixes: frozenset[str]) -> Iterator[Source]:
    found = False
    for parent, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes:
                found = True
                yield Source(os.path.join(parent, name), Path(folder))
    if not found:
        raise RefusedError(0, f"is a folder without {_listed(suffixes)} files", folder)


def _pattern(pattern: str, suffixes: frozenset[str]) -> Iterator[Source]:
    matches = sorted(path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path))
    if not matches:
        raise RefusedError(0, "no file matches", pattern)
    root = _literal_part(pattern)
    yield from (Source(match, root) for match in matches)


def _literal_part(pattern: str) -> Path:
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def _listed(suffixes: frozenset[str]) -> str:
    return ", ".join(sorted(suffixes))


def _raise(error: OSError) -> None:
    raise error
