"""An array to a stream."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import BOUNDED, PRIORS, Chunk, Header, write_stream
from vqcodec.errors import InputError
from vqcodec.grid import Region, cut
from vqcodec.media.array.bound import Bound
from vqcodec.media.array.choosing import choose
from vqcodec.media.array.chunk_codec import Coded, encode_chunk
from vqcodec.media.array.description import Description, pack_description
from vqcodec.media.array.integers import Coding, part_dtype
from vqcodec.media.array.layout import chunk_of, order_of
from vqcodec.media.array.letters import COEFFICIENTS, DESCRIPTION, NUMBER, RANKS
from vqcodec.media.array.signal import Array
from vqcodec.media.array.statistics import Statistics, survey
from vqcodec.media.array.tables import coefficient_bytes, table_bytes
from vqcodec.media.array.threads import in_threads
from vqcodec.media.array.words import parts_of

__all__ = ["encode"]

Progress = Callable[[int, int], None]

_TRIES = 12


def encode(
    array: Array,
    bound: Bound,
    *,
    missing: float | None,
    chunk: Sequence[int] | None,
    threads: int | None,
    progress: Progress | None,
) -> bytes:
    """Code an array; the same arguments give the same bytes, whatever the number of threads.

    Raises:
        InputError: a missing value, a chunk or a bound that does not fit the array.
    """
    values = array.values
    blank = _blank(array, bound, chunk)
    found = survey(
        (_parts(values, region) for region in _regions(blank)),
        part_dtype(blank),
        _missing(missing, blank),
        threads=threads,
    )
    blank = replace(blank, specials=found.specials)
    if bound.mode == "psnr":
        coding, payloads = _to_psnr(values, blank, found, bound.value, threads, progress)
    else:
        value = bound.value * found.range if bound.of_range else bound.value
        if not math.isfinite(value):
            raise InputError("the range of the values is too large for a part of it: say a number")
        blank = replace(blank, bound=value)
        coding, whole = choose(partial(_sample, values, blank), blank, found, threads=threads)
        payloads = _encode_all(values, coding, whole, threads, progress)
    return _stream(coding, payloads)


def _blank(array: Array, bound: Bound, chunk: Sequence[int] | None) -> Description:
    values, extent = array.values, array.extent
    is_complex = values.dtype.kind == "c"
    return Description(
        dtype=values.dtype.name,
        big_endian=values.dtype.newbyteorder("=") != values.dtype
        and values.dtype.itemsize > 1
        and values.dtype == values.dtype.newbyteorder(">"),
        shape=values.shape,
        chunk=chunk_of(extent, chunk),
        mode=bound.mode,
        bound=0.0,
        reached=0.0,
        map="words",
        base=0,
        shift=0,
        offset=0.0,
        unit=0.0,
        step=1,
        family="median",
        tight=False,
        order=order_of(extent, parts=is_complex),
        specials=(),
    )


def _missing(missing: float | None, blank: Description) -> Any:
    """The missing value as a number of the dtype."""
    if missing is None:
        return None
    dtype = part_dtype(blank)
    if blank.is_complex:
        raise InputError("complex values have no missing value")
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            number = np.array(missing).astype(dtype)[()]
            # What is finite and becomes infinite would equal itself, once it is of the dtype.
            fits = np.isinf(number) == np.isinf(missing) and (number == missing or number != number)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"no {dtype.name}: a missing value of {missing!r:.40}") from error
    if not fits:
        raise InputError(f"{dtype.name} cannot hold the missing value {missing!r:.40}")
    return number if number == number else None


def _regions(d: Description) -> Iterator[Region]:
    """Chunks of a shape; none of an empty one."""
    return cut(d.shape or (1,), d.chunk) if not d.is_empty else iter(())


def _parts(values: NDArray[Any], region: Region) -> NDArray[Any]:
    """Of a chunk, in memory."""
    return parts_of(np.asarray(values[region] if values.ndim else values.reshape(1)))


def _sample(values: NDArray[Any], d: Description, count: int, at: float) -> NDArray[Any]:
    """Parts of at most about so many values, which lie so far along all axes, from 0 to 1."""
    lengths = list(d.chunk)
    # Rows first, then what is longest.
    while math.prod(lengths) > count:
        longest = max(range(len(lengths)), key=lambda axis: lengths[axis])
        rows = len(lengths) - 2
        axis = rows if rows >= 0 and lengths[rows] > 64 else longest
        lengths[axis] = -(-lengths[axis] // 2)
    extent = d.shape or (1,)
    starts = [int((whole - length) * at) for whole, length in zip(extent, lengths, strict=True)]
    return _parts(values, tuple(slice(s, s + n) for s, n in zip(starts, lengths, strict=True)))


def _encode_all(
    values: NDArray[Any],
    coding: Coding,
    whole: Coded | None,
    threads: int | None,
    progress: Progress | None,
) -> list[Coded]:
    """Every chunk. whole: what the only one is coded as, if that is known."""
    regions = list(_regions(coding.description))
    if whole is not None and len(regions) == 1:
        return [whole]
    done = []
    chunks = (_parts(values, region) for region in regions)
    for coded in in_threads(lambda parts: encode_chunk(parts, coding), chunks, threads):
        done.append(coded)
        if progress is not None:
            progress(len(done), len(regions))
    return done


def _to_psnr(
    values: NDArray[Any],
    blank: Description,
    found: Statistics,
    wanted: float,
    threads: int | None,
    progress: Progress | None,
) -> tuple[Coding, list[Coded]]:
    """The largest bound, about, whose mean error is as small as is wanted."""
    # Were errors spread evenly within the bound, it would be this times their deviation.
    bound = found.range * 10 ** (-wanted / 20) * math.sqrt(3)
    count = max(found.count, 1)
    for attempt in range(_TRIES):
        last = attempt == _TRIES - 1
        tried = replace(blank, bound=bound if not last and math.isfinite(bound) else 0.0)
        coding, whole = choose(partial(_sample, values, tried), tried, found, threads=threads)
        payloads = _encode_all(values, coding, whole, threads, progress)
        deviation = math.sqrt(math.fsum(coded.squares for coded in payloads) / count)
        reached = 20 * math.log10(found.range / deviation) if deviation > 0 else math.inf
        if reached >= wanted:
            break
        bound *= 10 ** ((reached - wanted) / 20) * 0.99
    return coding, payloads


def _stream(coding: Coding, coded: Sequence[Coded]) -> bytes:
    d = coding.description
    payloads = [chunk.payload for chunk in coded] or [b""]
    d = replace(d, reached=max((chunk.reached for chunk in coded), default=0.0))
    side = [Chunk(DESCRIPTION, pack_description(d))]
    if coding.coefficients is not None:
        side.append(Chunk(COEFFICIENTS, coefficient_bytes(coding.coefficients)))
    if coding.table.size:
        side.append(Chunk(RANKS, table_bytes(coding)))
    header = Header(
        medium=NUMBER,
        extent=tuple(max(length, 1) for length in d.shape) or (1,),
        channels=1,
        stages=1,
        prior=PRIORS.index(BOUNDED),
        fingerprint=bytes(8),
        regions=len(payloads),
    )
    return write_stream(header, side, payloads)
