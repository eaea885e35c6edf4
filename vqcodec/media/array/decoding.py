"""A stream to an array, or to a part of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Stream
from vqcodec.errors import CorruptError
from vqcodec.grid import Region, lengths, meeting, whole
from vqcodec.media.array.chunk_codec import decode_chunk
from vqcodec.media.array.description import Description, extent_of, unpack_description
from vqcodec.media.array.integers import Coding
from vqcodec.media.array.letters import COEFFICIENTS, DESCRIPTION, RANKS
from vqcodec.media.array.signal import Array
from vqcodec.media.array.tables import read_coefficients, read_table
from vqcodec.media.array.threads import in_threads
from vqcodec.media.array.words import values_of
from vqcodec.media.npy import write_npy_head

__all__ = ["coding_of", "decode", "describe", "write_decoded"]

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
    out = np.empty(_shape_of(coding, region), coding.description.dtype)
    if out.size:
        rows, done = np.atleast_1d(out), 0
        for slab in _slabs(stream, coding, region, threads, progress):
            rows[done : done + len(slab)] = slab
            done += len(slab)
    return Array(out)


def write_decoded(
    stream: Stream,
    file: BinaryIO,
    *,
    region: Region | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[int, ...]:
    """Write what `decode` gives to a .npy file as it is decoded; gives its extent.

    In the memory of the chunks that lie side by side at one place of the first axis.

    Raises:
        CorruptError: a payload that no encoder writes.
    """
    coding = coding_of(stream)
    shape = _shape_of(coding, region)
    write_npy_head(file, shape, np.dtype(coding.description.dtype))
    if 0 not in shape:
        for slab in _slabs(stream, coding, region, threads, progress):
            file.write(np.ascontiguousarray(slab).data)
    return extent_of(shape)


def _shape_of(coding: Coding, region: Region | None) -> tuple[int, ...]:
    d = coding.description
    return d.shape if region is None or d.is_empty else lengths(region)


def _slabs(
    stream: Stream,
    coding: Coding,
    region: Region | None,
    threads: int | None,
    progress: Progress | None,
) -> Iterator[NDArray[Any]]:
    """Parts of an array that lie one behind the other along the first axis."""
    d = coding.description
    dtype, extent = np.dtype(d.dtype), extent_of(d.shape)
    chosen = whole(extent) if region is None else region
    jobs = list(meeting(chosen, extent, d.chunk))

    def job(numbered: tuple[int, Region]) -> NDArray[Any]:
        number, part = numbered
        payload = stream.codes_of(number)
        if payload is None:
            raise CorruptError(f"chunk {number} is not there")
        parts = (2,) * d.is_complex + lengths(part)
        return values_of(decode_chunk(payload, parts, coding), dtype)

    beside = len(jobs) // len({part[0].start for _, part in jobs})
    for done, ((_, part), values) in enumerate(
        zip(jobs, in_threads(job, jobs, threads), strict=True)
    ):
        into, of = _places(part, chosen)
        if done % beside == 0:
            rows = into[0].stop - into[0].start
            slab = np.empty((rows, *lengths(chosen)[1:]), dtype)
        slab[:, *into[1:]] = values[of]
        if progress is not None:
            progress(done + 1, len(jobs))
        if (done + 1) % beside == 0:
            yield slab


def _places(part: Region, chosen: Region) -> tuple[Region, Region]:
    """Where what a chunk has of a region lies in the region, and where in the chunk."""
    into, of = [], []
    for chunk, wanted in zip(part, chosen, strict=True):
        first, last = max(chunk.start, wanted.start), min(chunk.stop, wanted.stop)
        into.append(slice(first - wanted.start, last - wanted.start))
        of.append(slice(first - chunk.start, last - chunk.start))
    return tuple(into), tuple(of)
