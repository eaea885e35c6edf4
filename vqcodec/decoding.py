"""From the codes of a signal's regions to its samples, part by part, in bounded memory."""

from __future__ import annotations

import itertools
import operator
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import PartialStream, Stream
from vqcodec.errors import InputError, TruncatedError
from vqcodec.grid import Region, clip, cut, inside, lengths, meeting, whole
from vqcodec.grid import shrink as shrunk
from vqcodec.media.base import Medium, Part
from vqcodec.pieces import Pieces
from vqcodec.scale import block_means
from vqcodec.workers import Submit, in_order, side_by_side

__all__ = [
    "Progress",
    "amount_made",
    "checked_bits",
    "checked_region",
    "decode_parts",
    "decode_piece",
    "region_there",
]

# Is told how many of how many regions are done.
Progress = Callable[[int, int], None]

# Reads the codes of a region, int64 (S, *positions), by its number and its place in the grid.
CodesOf = Callable[[int, Region], NDArray[np.int64]]

# A region's place in the grid, and the promise of its codes.
_Promised = tuple[Region, "Future[NDArray[np.int64]]"]


def checked_region(
    region: Sequence[slice] | None, extent: Sequence[int], *, shrink: int = 1
) -> Region:
    """The samples that are asked for, as slices with both ends; all of them for None.

    shrink: samples along each axis that become one; blocks of them must be whole.

    Raises:
        InputError: not a slice for each axis, or one with a step, empty, beyond the signal, or
            ending within a block.

    >>> checked_region((slice(8, None), slice(2, 6)), (48, 64))
    (slice(8, 48, None), slice(2, 6, None))
    """
    if region is None:
        return whole(extent)
    parts = tuple(region) if isinstance(region, Sequence) else ()
    if len(parts) != len(extent) or not all(isinstance(part, slice) for part in parts):
        raise InputError(f"a region is a slice for each of {len(extent)} axes, got {region!r}")
    found = []
    for part, length in zip(parts, extent, strict=True):
        try:
            start = 0 if part.start is None else operator.index(part.start)
            stop = length if part.stop is None else operator.index(part.stop)
        except TypeError:
            raise InputError(f"a region has whole numbers, got {parts}") from None
        if part.step not in (None, 1):
            raise InputError(f"a region has no steps, got {parts}")
        if not 0 <= start < stop <= length:
            raise InputError(
                f"a region lies within the extent {tuple(extent)} and is not empty, got {parts}"
            )
        if start % shrink or (stop % shrink and stop != length):
            raise InputError(
                f"at the scale 1/{shrink} a region lies between multiples of {shrink}, got {parts}"
            )
        found.append(slice(start, stop))
    return tuple(found)


def checked_bits(bits: int | None, medium: Medium) -> int | None:
    """How many bits a decoded sample of a medium has: those asked for, or its default for None.

    Raises:
        InputError: the medium does not offer so many.

    >>> from vqcodec.media.registry import list_media
    >>> first = list_media()[0]
    >>> checked_bits(None, first), checked_bits(16, first)
    (8, 16)
    """
    if bits is None:
        return next(iter(medium.depths), None)
    if isinstance(bits, bool) or bits not in medium.depths:
        offered = " or ".join(map(str, medium.depths)) or "no choice of"
        raise InputError(f"a decoded {medium.name} has {offered} bits a sample, got {bits!r}")
    return bits


def region_there(
    stream: Stream,
    medium: Medium,
    *,
    grid: tuple[int, ...],
    side: Sequence[int],
    stride: Sequence[int],
) -> Region:
    """What is decoded of a stream: all of it, and in time up to the last region that is there.

    Args:
        grid, side: as for `decode_parts`.
        stride: samples of the model that a position stands for along each axis.

    Raises:
        TruncatedError: that is less than one sample.
    """
    extent = medium.extent_of(stream)
    if not isinstance(stream, PartialStream) or medium.per_second(stream) is None:
        return whole(extent)
    last = next(itertools.islice(cut(grid, side), stream.numbers[-1], None))
    made = amount_made(stream, medium, last[0].stop * stride[0])
    if made == 0:
        raise TruncatedError("what is left of the stream is less than one sample")
    return (slice(0, made), *whole(extent)[1:])


def amount_made(stream: Stream, medium: Medium, samples: int) -> int:
    """How many samples of a signal, along its first axis, can be made of so many of the model's."""
    extent = medium.extent_of(stream)
    if samples >= stream.header.extent[0]:
        return extent[0]

    def is_short(count: int) -> bool:
        region = (slice(0, count + 1), *whole(extent)[1:])
        needed: int = medium.samples_for(stream, region)[0].stop
        return needed > samples

    return bisect_left(range(extent[0]), True, key=is_short)


def decode_parts(
    pieces: Pieces,
    codes_of: CodesOf,
    *,
    extent: tuple[int, ...],
    grid: tuple[int, ...],
    side: tuple[int, ...],
    region: Region,
    shrink: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Part]:
    """Decode what is asked for of a signal, a part of it for each region, in the order of regions.

    Only regions that matter for it are read, and the samples are the same whatever is asked for.

    Args:
        codes_of: is called in any thread, once for each region that is read.
        extent, grid: samples and positions of the whole signal along each axis.
        side: positions of a region along each axis.
        region: the samples that are asked for, see `checked_region`.
        shrink: samples along each axis that become one, their mean: parts lie among these.
        threads: as for `side_by_side`; on a GPU there is one job at a time.
    """
    wanted = [
        (piece, place)
        for piece in (cut(grid, side) if pieces.is_local else [whole(grid)])
        if min(lengths(place := clip(pieces.samples_of(piece, extent), region))) > 0
    ]
    around = [pieces.positions_around(piece, grid) for piece, _ in wanted]
    threads = threads if pieces.device.type == "cpu" else 1
    with side_by_side(threads, jobs=len(wanted)) as (submit, workers):
        promises = _promise(submit, codes_of, [list(meeting(a, grid, side)) for a in around])

        def decode(job: tuple[Region, Region, Region, list[_Promised]]) -> Part:
            piece, place, outer, promised = job
            codes = [(region, promise.result()) for region, promise in promised]
            samples = decode_piece(pieces, piece, outer, codes)
            samples = samples[:, *inside(place, pieces.samples_of(piece, extent))]
            return shrunk(place, shrink), block_means(samples, shrink, axes=len(place))

        jobs = (
            (*pair, outer, found)
            for pair, outer, found in zip(wanted, around, promises, strict=True)
        )
        for done, part in enumerate(in_order(submit, workers, decode, jobs), 1):
            yield part
            if progress is not None:
                progress(done, len(wanted))


def decode_piece(
    pieces: Pieces, piece: Region, around: Region, codes: Sequence[tuple[Region, NDArray[np.int64]]]
) -> NDArray[np.float32]:
    """The samples of a piece, those beyond the signal included, of the codes around it.

    Args:
        around: the positions that matter for the piece, see `Pieces.positions_around`.
        codes: of all regions that meet these, each with its place in the grid.
    """
    return pieces.synthesise(_joined(around, codes), piece=inside(piece, around))


def _promise(
    submit: Submit, codes_of: CodesOf, needs: Sequence[Sequence[tuple[int, Region]]]
) -> Iterator[list[_Promised]]:
    """The codes that each piece needs, begun when the piece is drawn and let go after the last one.

    A piece is begun after all codes that it waits for, so that no worker waits for one behind it.
    """
    last = {number: index for index, needed in enumerate(needs) for number, _ in needed}
    begun: dict[int, Future[NDArray[np.int64]]] = {}
    for index, needed in enumerate(needs):
        for number, region in needed:
            if number not in begun:
                begun[number] = submit(codes_of, number, region)
        yield [(region, begun[number]) for number, region in needed]
        for number, _ in needed:
            if last[number] == index:
                del begun[number]


def _joined(outer: Region, found: Sequence[tuple[Region, NDArray[np.int64]]]) -> NDArray[np.int64]:
    """The codes of a part of the grid, of those of the regions that it meets."""
    joined: NDArray[np.int64] | None = None
    for region, codes in found:
        if joined is None:
            joined = np.empty((len(codes), *lengths(outer)), np.int64)
        shared = clip(region, outer)
        joined[:, *inside(shared, outer)] = codes[:, *inside(shared, region)]
    assert joined is not None
    return joined
