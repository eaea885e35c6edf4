"""Where streams lie: files, and rows of Parquet; their bytes are read when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from vqcodec.content import content_of
from vqcodec.errors import InputError, MissingDependencyError

__all__ = ["Place", "find_places"]

_STREAM, _TABLE = ".vqc", ".parquet"

# Columns that `vqcodec.ray` writes: of streams, and of the names of their files.
_COLUMNS = ("stream", "output")


@dataclass(frozen=True, slots=True)
class Place:
    """Of one stream: the path of its file, or a file of Parquet, a column, row group and row."""

    path: str
    column: str = ""
    group: int = 0
    row: int = 0

    def __str__(self) -> str:
        if not self.column:
            return self.path
        return f"{self.path}: row {self.row} of group {self.group}"

    def read(self) -> bytes:
        """The bytes of the stream.

        Raises:
            InputError: it cannot be read, or the row is empty; the message names it.
        """
        if not self.column:
            return bytes(content_of(self.path))
        value = _group(self.path, self.column, self.group)[self.row].as_py()
        if not isinstance(value, bytes):
            raise InputError(f"{self}: has {type(value).__name__} instead of a stream")
        return value


def find_places(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], column: str | None = None
) -> list[Place]:
    """The streams in a folder, a file of Parquet, or a list of both and of streams' own files.

    A folder is searched to the bottom for `.vqc`, and without any of them for `.parquet`, in the
    order of their names. Rows of Parquet that have an `error` are left out.

    Args:
        column: of Parquet, with bytes of streams or with paths of their files; by default the one
            that is there of `stream` and `output`, as `vqcodec.ray` and manifests name them.

    Raises:
        InputError: there are none; a file of Parquet cannot be read, or lacks the column.
        MissingDependencyError: reading Parquet needs pyarrow.
    """
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    files = [file for one in sources for file in _files(os.fspath(one))]
    places = [place for file in files for place in _places_in(file, column)]
    if not places:
        raise InputError(f"there are no streams in {source!r}")
    return places


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    found = sorted(
        os.path.join(parent, name) for parent, _, names in os.walk(path) for name in names
    )
    streams = [file for file in found if file.lower().endswith(_STREAM)]
    return streams or [file for file in found if file.lower().endswith(_TABLE)]


def _places_in(path: str, column: str | None) -> list[Place]:
    if not path.lower().endswith(_TABLE):
        return [Place(path)]
    file = _opened(path)
    names = file.schema_arrow.names
    wanted = _COLUMNS if column is None else (column,)
    chosen = next((name for name in wanted if name in names), None)
    if chosen is None:
        raise InputError(
            f"{path}: has no column {' or '.join(map(repr, wanted))}; there are {', '.join(names)}"
        )
    holds_bytes = "binary" in str(file.schema_arrow.field(chosen).type)
    places = []
    for group in range(file.metadata.num_row_groups):
        # Streams themselves are not read before they are asked for.
        read = [name for name in ("error", *([] if holds_bytes else [chosen])) if name in names]
        rows = file.read_row_group(group, columns=read).to_pylist() if read else []
        rows = rows or [{}] * file.metadata.row_group(group).num_rows
        for number, row in enumerate(rows):
            if row.get("error") is None:
                own = Place(path, chosen, group, number)
                places.append(own if holds_bytes else Place(str(row[chosen])))
    return places


# One group for each worker: rows that are asked for in their order are read once.
@lru_cache(maxsize=1)
def _group(path: str, column: str, group: int) -> Any:
    return _opened(path).read_row_group(group, columns=[column]).column(0)


def _opened(path: str) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependencyError(
            "streams in Parquet need pyarrow: pip install 'vqcodec[parquet]'"
        ) from error
    try:
        return parquet.ParquetFile(Path(path))
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: is no file of Parquet that can be read: {error}") from error
