"""PyAV, which brings FFmpeg's libraries: the extra vqcodec[video]."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vqcodec.errors import InputError, MissingDependencyError

__all__ = ["ALONE", "import_av", "named_errors"]

# Of a container that is read: what it names is not opened, neither other files nor addresses.
ALONE = {"protocol_whitelist": "none"}


def import_av(use: str) -> Any:
    """The package av. Raises: MissingDependencyError that says what it is for."""
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(f"to {use} needs av: pip install 'vqcodec[video]'") from error
    return av


@contextmanager
def named_errors(what: str) -> Iterator[None]:
    """Say in our own words what FFmpeg refuses; a full disk and the like stay what they are."""
    av = import_av("read and write videos")
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, OSError) and error.errno in (1, 2, 13, 17, 21, 28, 30, 32):
            raise OSError(error.errno, error.strerror) from error
        raise InputError(f"{what}: {str(error.strerror)[:200]}") from error
