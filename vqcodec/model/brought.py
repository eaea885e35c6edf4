"""A file of weights that comes from elsewhere: a URL or a pipe, told early if it is wrong."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vqcodec.errors import BadModelError, InputError
from vqcodec.model.file import ModelCard, read_card
from vqcodec.model.tensor_file import MAX_FILE_BYTES, MAX_HEADER_BYTES
from vqcodec.remote import is_url, url_blocks

__all__ = ["brought_model", "check_fingerprint"]

# Is told how many bytes are there, of how many if that is known.
Progress = Callable[[int, int | None], None]

_BLOCK_BYTES = 2**20
_FINGERPRINT = re.compile("[0-9a-f]{16}")


def check_fingerprint(fingerprint: str) -> None:
    """Refuse what cannot be a fingerprint.

    Raises:
        InputError: not 16 hexadecimal digits.

    >>> check_fingerprint("4dc92345407d902f")
    """
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise InputError(f"a fingerprint is 16 digits of 0-9 and a-f, got {fingerprint[:40]!r}")


@contextmanager
def brought_model(
    source: str | Path | BinaryIO,
    *,
    fingerprint: str | None = None,
    progress: Progress | None = None,
    also: Callable[[Path], bool] = lambda path: False,
) -> Iterator[Path]:
    """A file of weights on this machine: a path as it is, a URL or an open file as a copy.

    The copy is gone after the block. Its header is looked at as soon as it is there, so that what
    is no model, or not the one that is wanted, is not brought whole; tensors are not checked.

    Args:
        fingerprint: what the file has to say it is; None for any.
        also: whether a file is of another kind that is wanted, by its beginning; it has no
            fingerprint.

    Raises:
        BadModelError: no model, another one, or larger than a model may be.
        InputError: it cannot be read, or the fingerprint is none.
        MissingDependencyError: as `remote.open_url`.
    """
    if fingerprint is not None:
        check_fingerprint(fingerprint)

    def check(path: Path) -> None:
        if not also(path):
            _check(read_card(path), fingerprint)

    if isinstance(source, Path) or (isinstance(source, str) and not is_url(source)):
        check(Path(source))
        yield Path(source)
        return
    if isinstance(source, str):
        name, size, blocks = source, *url_blocks(source, _BLOCK_BYTES)
    else:
        name, size, blocks = "-", None, iter(lambda: source.read(_BLOCK_BYTES), b"")
    with tempfile.TemporaryDirectory(prefix="vqcodec-") as folder:
        path = Path(folder, "model.safetensors")
        try:
            _copy(blocks, size, path, check, progress)
            yield path
        except BadModelError as error:
            # Where the copy was says nothing to anybody.
            raise BadModelError(str(error).replace(str(path), name)) from error


def _copy(
    blocks: Iterable[bytes],
    size: int | None,
    path: Path,
    check: Callable[[Path], None],
    progress: Progress | None,
) -> None:
    """Write what comes to a file, as long as it may be the model that is wanted."""
    done, judged = 0, False
    if size is not None and size > MAX_FILE_BYTES:
        raise BadModelError(f"{path}: {size} bytes, more than {MAX_FILE_BYTES}")
    with path.open("wb") as file:
        for block in blocks:
            done += len(block)
            if done > MAX_FILE_BYTES:
                raise BadModelError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
            file.write(block)
            if progress is not None:
                progress(done, size)
            if not judged and done >= MAX_HEADER_BYTES + 8:
                file.flush()
                check(path)
                judged = True
    if not judged:
        check(path)


def _check(card: ModelCard, fingerprint: str | None) -> None:
    if fingerprint is not None and card.fingerprint != fingerprint:
        raise BadModelError(
            f"{card.path}: its fingerprint is {card.fingerprint}, wanted was {fingerprint}"
        )
