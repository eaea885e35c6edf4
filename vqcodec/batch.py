"""Columns of signals to columns of streams: a function for Ray Data, Dask, Spark and their kin."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vqcodec.codec import Codec
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.registry import signal_of
from vqcodec.recent import recent_codec

__all__ = ["encode_batch"]

_MADE = ("stream", "rate", "seconds", "sha256", "error")


def encode_batch(
    batch: Mapping[str, Iterable[Any]],
    *,
    column: str = "bytes",
    model: str | Path = "photo",
    device: str = "auto",
    threads: int = 1,
    **options: Any,
) -> dict[str, list[Any]]:
    """Encode a column of signals; a row that cannot be encoded has an error and keeps no other.

    A process loads the model once, however many batches it is given. Frames of pandas and tables
    of Arrow are taken, too, and a dict becomes either of them again:

        dask:   frame.map_partitions(lambda part: DataFrame(encode_batch(part)), meta=...)
        spark:  frame.mapInPandas(lambda parts: (DataFrame(encode_batch(p)) for p in parts), ...)
        ray:    vqcodec.ray.encode_dataset(dataset)

    Args:
        batch: values by name of their column, all of one length.
        column: of the signals, each what `Codec.encode` takes: the bytes of a file, its path, an
            array.
        model, device: as `load` takes them.
        threads: for each signal; frameworks start a process for each core.
        options: of `Codec.encode`, for all rows.

    Returns:
        the columns of the batch but for the signals, and for each row

        - stream: the bytes that `Codec.encode` gives;
        - rate: how large that is, in the unit of the medium;
        - seconds: that it took;
        - sha256: of the stream, hexadecimal digits;
        - error: None, or why it could not be encoded; then the others are None.

    Raises:
        InputError: there is no such column.
        ModelError, BackendError: as `load`.

    >>> done = encode_batch({"name": ["a", "b"], "bytes": [b"P5 2 1 255 ..", b"no signal"]})
    >>> done["name"], [type(stream).__name__ for stream in done["stream"]], done["error"][0]
    (['a', 'b'], ['bytes', 'NoneType'], None)
    """
    given: Any = batch
    names = list(given.keys() if hasattr(given, "keys") else given.column_names)
    if column not in names:
        raise InputError(f"no column {column!r}; there are {', '.join(map(str, names))}")
    codec = recent_codec(model, device=device)
    columns = {name: _values(batch[name]) for name in names}
    signals = columns.pop(column)
    rows = [_row(codec, signal, threads=threads, **options) for signal in signals]
    return columns | {name: [row.get(name) for row in rows] for name in _MADE}


def _row(codec: Codec, thing: Any, **options: Any) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        signal = signal_of(codec.medium, thing)
        stream = codec.encode(signal, **options)
    except VqcodecError as error:
        return {"error": str(error)}
    return {
        "stream": stream,
        "rate": codec.medium.rate(len(stream), signal)[1],
        "seconds": time.perf_counter() - started,
        "sha256": hashlib.sha256(stream).hexdigest(),
    }


def _values(column: Any) -> list[Any]:
    """A column as Python's own values, which Arrow's are not."""
    return list(column.to_pylist() if hasattr(column, "to_pylist") else column)
