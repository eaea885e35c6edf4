"""Files by URL: https://, s3:// and what else fsspec opens."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vqcodec.errors import InputError, MissingDependencyError

__all__ = ["is_url", "open_url", "read_url", "url_blocks"]

_URL = re.compile(r"[a-z][a-z0-9+.:-]+://", re.IGNORECASE)
# Small chunks lie close together, so that a request for each head would take longer.
_BLOCK_BYTES = 2**20


def is_url(name: str) -> bool:
    r"""Whether a name is a URL, and not a path.

    >>> is_url("s3://bucket/photo.vqc"), is_url("photo.vqc"), is_url(r"C:\photo.vqc")
    (True, False, False)
    """
    return _URL.match(name) is not None


def read_url(url: str) -> bytes:
    """All bytes of a file. Raises as `open_url`."""
    with _named(url):
        system, path = _system(url)
        return bytes(system.cat_file(path))


@contextmanager
def open_url(url: str) -> Iterator[Any]:
    """Open a file for reading bytes, which come in blocks of 1 MiB where it can seek.

    Raises:
        MissingDependencyError: fsspec, or what it needs for such URLs, is not installed.
        InputError: it cannot be read; the message names it.
    """
    with _named(url):
        system, path = _system(url)
        file = system.open(path, "rb", block_size=_BLOCK_BYTES, cache_type="blockcache")
    with file:
        yield _Ranged(file, url)


def url_blocks(url: str, count: int) -> tuple[int | None, Iterator[bytes]]:
    """How large a file says it is, None if it does not, and its bytes in blocks, from its start.

    No more than a block is held at a time, also of servers that know no ranges. Raises as
    `open_url`, the blocks too.
    """
    with _named(url):
        system, path = _system(url)
        # Over HTTP a block size of none is a stream; the others take one that has a size.
        block_size = 0 if url.lower().startswith(("http://", "https://")) else count
        file = system.open(path, "rb", block_size=block_size)

    def blocks() -> Iterator[bytes]:
        with _named(url), file:
            while data := file.read(count):
                yield bytes(data)

    return getattr(file, "size", None), blocks()


class _Ranged:
    """A file that is read in parts, or whole once its server refuses to give parts of it."""

    def __init__(self, file: Any, url: str) -> None:
        self._file, self._url = file, url

    def read(self, size: int, /) -> bytes:
        place = self._file.tell()
        try:
            return bytes(self._file.read(size))
        except ValueError:
            self._file = io.BytesIO(read_url(self._url))
            self._file.seek(place)
            return bytes(self._file.read(size))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())


def _system(url: str) -> tuple[Any, str]:
    scheme = url.partition("://")[0]
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(url)
    except ImportError as error:
        hint = "pip install 'vqcodec[fsspec]'"
        raise MissingDependencyError(f"{scheme}:// needs fsspec and its driver: {hint}") from error
    return system, path


@contextmanager
def _named(url: str) -> Iterator[None]:
    """Say which file cannot be read, in one line."""
    kinds: tuple[type[Exception], ...] = (OSError, ValueError)
    try:
        yield
    except InputError:
        raise
    except (*kinds, *_client_errors()) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, FileNotFoundError):
            # What is said of it is its path.
            why = "no such file"
        line = why.splitlines()[0]
        raise InputError(f"{url}: {line.removeprefix(f'{url}: ')}") from error


def _client_errors() -> tuple[type[Exception], ...]:
    """What a client of HTTP raises that is no OSError, if there is one."""
    client = sys.modules.get("aiohttp")
    return () if client is None else (client.ClientError,)
