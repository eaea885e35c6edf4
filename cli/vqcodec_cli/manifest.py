"""A manifest: one row for every file of a run, as lines of JSON or a Parquet file."""

import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vqcodec.errors import MissingDependencyError
from vqcodec_cli.failure import RefusedError, UsageError, complain, reason
from vqcodec_cli.output import check_output, write_file

# What every row has, with its type in Parquet; further columns are those of the records.
_COLUMNS = {
    "input": "string",
    "output": "string",
    "bytes": "int64",
    "seconds": "double",
    "sha256": "string",
    "error": "string",
}

Row = Mapping[str, Any]


class Manifest:
    """Rows by number, and the file that they go to in the end, whole or not at all.

    Args:
        path: ends with .jsonl or .parquet.
        replaces: whether a file that is there already may be replaced.

    Raises:
        UsageError: another suffix.
        MissingDependencyError: Parquet, and pyarrow is not installed.
        OSError: it could not be written.
    """

    def __init__(self, path: str, *, replaces: bool) -> None:
        self._path = Path(path)
        if self._path.suffix not in (".jsonl", ".parquet"):
            raise UsageError(f"a manifest is a .jsonl or .parquet file, got {path}")
        self._is_parquet = self._path.suffix == ".parquet"
        if self._is_parquet:
            _pyarrow()
        check_output(self._path, force=replaces, makes_folder=True)
        if self._path.parent.exists():
            # Permissions do not say all: some file systems take no files.
            with tempfile.TemporaryFile(dir=self._path.parent):
                pass
        self._rows: dict[int, Row] = {}

    def add(self, number: int, row: Row) -> None:
        """Take the row of an input, by its number."""
        self._rows[number] = row

    def earlier(self) -> dict[str, Row]:
        """The rows of files that were done as an earlier run wrote them, by output.

        Raises:
            OSError: the file is no manifest.
        """
        if not self._path.exists():
            return {}
        data = self._path.read_bytes()
        try:
            rows = _parquet_rows(data) if self._is_parquet else _json_rows(data)
            return {row["output"]: row for row in rows if row["error"] is None}
        except (ValueError, KeyError, TypeError) as error:
            raise RefusedError(0, "is no manifest of an earlier run", str(self._path)) from error

    @contextmanager
    def written(self) -> Iterator[None]:
        """Write the rows when the block ends; when it is interrupted, those that there are."""
        ended_well = False
        try:
            yield
            ended_well = True
        finally:
            try:
                self._write()
            except OSError as error:
                if ended_well:
                    raise
                # What ended the block is what the caller is to know.
                complain(str(self._path), reason(error, str(self._path)))

    def _write(self) -> None:
        names = dict.fromkeys([*_COLUMNS, *(name for row in self._rows.values() for name in row)])
        rows = [{name: row.get(name) for name in names} for _, row in sorted(self._rows.items())]
        data = _parquet(rows, list(names)) if self._is_parquet else _json(rows)
        write_file(self._path, data, force=True, makes_folder=True)


def _json(rows: Iterable[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode("ascii")


def _json_rows(data: bytes) -> list[Row]:
    return [json.loads(line) for line in data.splitlines()]


def _parquet(rows: list[dict[str, Any]], names: list[str]) -> bytes:
    pa, parquet = _pyarrow()
    columns = {}
    for name in names:
        values = [_text(row[name]) for row in rows]
        columns[name] = pa.array(values, _COLUMNS.get(name))
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def _parquet_rows(data: bytes) -> list[Row]:
    _, parquet = _pyarrow()
    rows: list[Row] = parquet.read_table(io.BytesIO(data)).to_pylist()
    return rows


def _text(value: Any) -> Any:
    """A value that Parquet can hold: of a name that is no text, its bytes escaped."""
    if isinstance(value, str):
        return os.fsencode(value).decode("utf-8", "backslashreplace")
    return value


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError(
            "a manifest in Parquet needs pyarrow: pip install 'vqcodec[parquet]', or name it .jsonl"
        ) from error
    return pyarrow, pyarrow.parquet
