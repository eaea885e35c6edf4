"""Encoding on a cluster with Ray Data: one model for each actor, a row for each signal.

    pip install 'vqcodec[ray]'

Every machine of the cluster needs vqcodec and the model, and for `encode_files` the same folders.
Ray runs where `ray.init` says; without it, on this machine.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

from vqcodec.batch import encode_batch
from vqcodec.choices import check_whole
from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.files import write_whole
from vqcodec.media.registry import list_media
from vqcodec.model.catalog import locate_model

__all__ = ["encode_dataset", "encode_files"]

# What is made of a signal, and what is written down of a file, with its type in Arrow.
_MADE = {
    "stream": "large_binary",
    "rate": "double",
    "seconds": "double",
    "sha256": "string",
    "error": "string",
}
_MANIFEST = {
    "input": "string",
    "output": "string",
    "bytes": "int64",
    "rate": "double",
    "seconds": "double",
    "sha256": "string",
    "error": "string",
}

# How often a batch is tried again whose actor died.
_RETRIES = 3
# A batch that waits for an actor which another one kills would lose a try as well.
_ONE_AT_A_TIME = {"max_tasks_in_flight_per_actor": 1}

Row = dict[str, Any]


def encode_dataset(
    dataset: Any, *, column: str = "bytes", actors: int = 1, batch_size: int = 16, **options: Any
) -> Any:
    """Encode a column of a Ray dataset; nothing is begun before rows are asked for.

        signals = ray.data.read_binary_files("s3://bucket/photos", include_paths=True)
        encode_dataset(signals, actors=64).write_parquet("s3://bucket/encoded")

    Args:
        dataset: with signals as `encode_batch` takes them, such as the bytes of files.
        column: of the signals.
        actors: at most so many processes share the work, each on one core with a model of its own.
            At least one core more is needed, for what reads the dataset. One that dies is started
            anew by Ray, and given its batch again, three times; then Ray's error ends it all.
        batch_size: rows at a time; only these are in an actor's memory.
        options: of `encode_batch`, such as `model` and `quality`.

    Returns:
        A dataset of the columns that `encode_batch` gives. A signal that cannot be encoded is a row
        with its error.

    Raises:
        InputError: actors or batch_size is not a whole number from 1.
    """
    check_whole("actors", actors, 1)
    check_whole("batch_size", batch_size, 1)
    _, data = _packages()
    # All of them at once would leave no core to what reads the rows that they wait for.
    pool = data.ActorPoolStrategy(min_size=1, max_size=actors, **_ONE_AT_A_TIME)
    return _mapped(dataset, _Encode, {"column": column, **options}, pool, batch_size)


def encode_files(
    folder: str | Path,
    output: str | Path,
    *,
    manifest: str | Path,
    actors: int = 1,
    batch_size: int = 16,
    **options: Any,
) -> int:
    """Encode all files of a folder into another, both of which every machine sees.

    `a/b.png` becomes `a/b.png.vqc`, whole or not at all. What is there already is left out, so that
    a run that was interrupted is taken up by the same call.

    Args:
        folder: searched to the bottom for files that a medium reads.
        manifest: a Parquet file of a row for each file, written in the end: input, output, bytes,
            rate, seconds, sha256, error. One that is there is taken up, too.
        actors, batch_size, options: as for `encode_dataset`. A file that its actor dies of, each
            time, is a row with an error, and so are those of its batch that come after it.

    Returns:
        how many files could not be encoded; the manifest says why.

    Raises:
        InputError: the folder holds no such file.
        ModelError: as `vqcodec.load`.
        OSError: a folder or the manifest cannot be written.
    """
    check_whole("actors", actors, 1)
    check_whole("batch_size", batch_size, 1)
    jobs = _jobs(Path(folder), Path(output))
    if not jobs:
        raise InputError(f"{folder}: is a folder without files that a medium reads")
    # A wrong name is to be told before a cluster is asked to work.
    locate_model(options.get("model", "photo"))
    Path(output).mkdir(parents=True, exist_ok=True)
    is_there = [os.path.isfile(job["output"]) for job in jobs]
    todo = [job for job, there in zip(jobs, is_there, strict=True) if not there]
    rows = _earlier(Path(manifest), list(compress(jobs, is_there)))
    if todo:
        pyarrow, data = _packages()
        # Each block is for one actor.
        blocks = range(0, len(todo), batch_size)
        named = data.from_arrow(
            [pyarrow.Table.from_pylist(todo[first : first + batch_size]) for first in blocks]
        )
        pool = data.ActorPoolStrategy(size=min(actors, len(blocks)), **_ONE_AT_A_TIME)
        done = _mapped(named, _EncodeFiles, options, pool, batch_size)
        # A batch that is given up is missing; the others are done all the same.
        done.context.max_errored_blocks = -1
        made = [
            row
            for table in done.iter_batches(batch_format="pyarrow", batch_size=None)
            for row in table.to_pylist()
        ]
        rows += made + _given_up(todo, made)
    _write_manifest(Path(manifest), sorted(rows, key=lambda row: str(row["input"])))
    return sum(row["error"] is not None for row in rows)


class _Encode:
    """What an actor does to each batch, a table of Arrow."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __call__(self, table: Any) -> Any:
        return _table(encode_batch(table, **self._options), _MADE)


class _EncodeFiles:
    """What an actor does to each batch of files: of its streams only the rows leave it."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __call__(self, table: Any) -> Any:
        batch = {name: table[name].to_pylist() for name in table.column_names}
        done = encode_batch({**batch, "path": batch["input"]}, column="path", **self._options)
        rows = [
            _written(dict(zip(done, values, strict=True)))
            for values in zip(*done.values(), strict=True)
        ]
        return _table({name: [row[name] for row in rows] for name in _MANIFEST}, _MANIFEST)


def _written(row: Row) -> Row:
    """Write the stream of a row, if there is one; gives the row of the manifest."""
    stream = row.pop("stream")
    row["bytes"] = None if stream is None else len(stream)
    if stream is not None:
        try:
            target = Path(row["output"])
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, stream)
        except OSError as error:
            kept = ("input", "output")
            return {**dict.fromkeys(row), **{k: row[k] for k in kept}, "error": str(error)}
    return row


def _given_up(todo: Sequence[Row], made: Sequence[Row]) -> list[Row]:
    """The rows of files whose batch no actor survived; some of them may have been written."""
    known = {row["input"] for row in made}
    lost = [job for job in todo if job["input"] not in known]
    why = "the process that worked on its batch died each time: give it a batch_size of 1"
    return [
        _found(job)
        if os.path.isfile(job["output"])
        else {**dict.fromkeys(_MANIFEST), **job, "error": why}
        for job in lost
    ]


def _mapped(dataset: Any, work: type, options: Row, pool: Any, batch_size: int) -> Any:
    return dataset.map_batches(
        work,
        fn_constructor_kwargs=options,
        batch_size=batch_size,
        batch_format="pyarrow",
        compute=pool,
        num_cpus=1,
        # Without it Ray gives a batch that its actors die of to the next one for ever.
        max_task_retries=_RETRIES,
    )


def _jobs(folder: Path, output: Path) -> list[Row]:
    """The files below a folder that a medium reads, each with the name of its output, in order."""
    suffixes = {suffix for medium in list_media() for suffix in medium.suffixes}
    found = sorted(
        Path(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if os.path.splitext(name)[1].lower() in suffixes
    )
    return [
        {"input": str(path), "output": f"{output / path.relative_to(folder)}.vqc"} for path in found
    ]


def _earlier(manifest: Path, there: Sequence[Row]) -> list[Row]:
    """The rows of files that an earlier run encoded, as it wrote them down, or anew."""
    written: dict[str, Row] = {}
    if manifest.is_file():
        from pyarrow import parquet

        rows = parquet.read_table(manifest).to_pylist()
        written = {row["output"]: row for row in rows if row["error"] is None}
    return [written.get(job["output"]) or _found(job) for job in there]


def _found(job: Row) -> Row:
    data = Path(job["output"]).read_bytes()
    row = {**dict.fromkeys(_MANIFEST), **job}
    return {**row, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _write_manifest(path: Path, rows: Sequence[Row]) -> None:
    from pyarrow import parquet

    columns = {name: [row[name] for row in rows] for name in _MANIFEST}
    file = io.BytesIO()
    parquet.write_table(_table(columns, _MANIFEST), file)
    write_whole(path, file.getvalue())


def _table(columns: dict[str, list[Any]], types: dict[str, str]) -> Any:
    """A table of Arrow; a column of nothing but None has its type all the same."""
    import pyarrow

    return pyarrow.table(
        {name: pyarrow.array(values, types.get(name)) for name, values in columns.items()}
    )


def _packages() -> tuple[Any, Any]:
    try:
        import pyarrow
        import ray.data
    except ImportError as error:
        raise MissingDependencyError(
            "vqcodec.ray needs Ray Data: pip install 'vqcodec[ray]'"
        ) from error
    return pyarrow, ray.data
