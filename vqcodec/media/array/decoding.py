"""A stream to an array, or to a part of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Stream
from vqcodec.errors import CorruptError
from vqcodec.grid import Region, lengths, meeting
from vqcodec.media.array.chunk_codec import decode_chunk
from vqcodec.media.array.description import Description, extent_of, unpack_description
from vqcodec.media.array.integers import Coding
from vqcodec.media.array.letters import COEFFICIENTS, DESCRIPTION, RANKS
from vqcodec.media.array.signal import Array
from vqcodec.media.array.tables import read_coefficients, read_table
from vqcodec.media.array.threads import in_threads
from vqcodec.media.array.words import values_of

__all__ = ["coding_of", "decode", "describe"]

Progress = Callable[[int, int], None]


def describe(stream: Stream) -> Description:
    """What the stream says of its array. Raises: CorruptError."""
    payload = stream.payload(DESCRIPTION)
    if payload is None:
        raise CorruptError("an array lacks its description")
    return unpack_description(payload)


def coding_of(stream: Stream) -> Coding:
    """What chunks of the stream are coded by. Raises: CorruptError."""
    d = describe(stream)
    table, coefficients = stream.payload(RANKS), stream.payload(COEFFICIENTS)
    if (table is None) == (d.map == "ranks") or (coefficients is None) == (d.family == "linear"):
        raise CorruptError(f"an array of {d.map}, {d.family} has other chunks than it needs")
    words = read_table(table) if table is not None else np.zeros(0, np.int64)
    fitted = read_coefficients(coefficients) if coefficients is not None else None
    return Coding(d, words, words, fitted)


def decode(
    stream: Stream,
    *,
    region: Region | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Array:
    """Decode all of an array, or a region of the header's extent: only the chunks that matter.

    An empty array, and one without axes, comes back as it was where no region is asked for.

    Raises:
        CorruptError: a payload that no encoder writes.
    """
    coding = coding_of(stream)
    d = coding.description
    dtype, extent = np.dtype(d.dtype), extent_of(d.shape)
    if d.is_empty:
        return Array(np.zeros(d.shape, dtype))
    chosen = tuple(slice(0, n) for n in extent) if region is None else region
    out = np.empty(lengths(chosen), dtype)
    jobs = list(meeting(chosen, extent, d.chunk))

    def job(numbered: tuple[int, Region]) -> NDArray[Any]:
        number, part = numbered
        payload = stream.codes_of(number)
        if payload is None:
            raise CorruptError(f"chunk {number} is not there")
        parts = (2,) * d.is_complex + lengths(part)
        return values_of(decode_chunk(payload, parts, coding), dtype)

    for done, ((_, part), values) in enumerate(
        zip(jobs, in_threads(job, jobs, threads), strict=True), 1
    ):
        into, of = [], []
        for whole, wanted in zip(part, chosen, strict=True):
            first, last = max(whole.start, wanted.start), min(whole.stop, wanted.stop)
            into.append(slice(first - wanted.start, last - wanted.start))
            of.append(slice(first - whole.start, last - whole.start))
        out[tuple(into)] = values[tuple(of)]
        if progress is not None:
            progress(done, len(jobs))
    return Array(out if d.shape or region is not None else out.reshape(()))
