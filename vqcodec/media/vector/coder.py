"""What codes vectors: `vqcodec.media.coder.Coder`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Stream
from vqcodec.errors import CorruptError, InputError, kernels_refuse
from vqcodec.grid import Region, lengths
from vqcodec.media.npy import write_npy_head
from vqcodec.media.vector.codebook import Codebook
from vqcodec.media.vector.codebook_file import read_codebook
from vqcodec.media.vector.opened import OpenVectors
from vqcodec.media.vector.signal import Vectors

__all__ = ["CODER", "VectorCoder"]

Progress = Callable[[int, int], None]

# How far a measured error may be from the one in the file: sums differ in their last bits.
_TOLERANCE = 1e-4


class VectorCoder:
    """Vectors to streams and back."""

    options = frozenset({"bytes_per_vector", "codebook", "effort"})
    decode_options = frozenset({"codebook"})

    @kernels_refuse()
    def encode(
        self,
        signal: Vectors,
        *,
        bytes_per_vector: float | None = None,
        codebook: Any = None,
        effort: int = 5,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> bytes:
        """The stream of vectors; see `vqcodec.vectors.encode`."""
        from vqcodec.media.vector.encoding import encode  # loads torch
        from vqcodec.workers import side_by_side

        if bytes_per_vector is None:
            raise InputError(
                "say how small vectors are to be, as bytes per vector: 16 for a first search, 32 "
                "or more where the order of the nearest matters; there is no default"
            )
        book = _codebook(codebook)
        with side_by_side(threads, jobs=1):
            return encode(
                signal,
                bytes_per_vector=bytes_per_vector,
                codebook=book,
                effort=effort,
                progress=progress,
            )

    def decode(
        self,
        stream: Stream,
        *,
        region: Sequence[slice] | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
        codebook: Any = None,
    ) -> Vectors:
        """The vectors of a stream, or some rows of them, and columns of these."""
        found, rows, columns = _opened(stream, region, codebook)
        out = np.empty(lengths((rows, columns)), found.description.dtype)
        done = 0
        for values in _blocks(found, rows, columns, progress):
            out[done : done + len(values)] = values
            done += len(values)
        return Vectors(out)

    @kernels_refuse()
    def write_decoded(
        self,
        stream: Stream,
        file: BinaryIO,
        *,
        format: str,
        region: Sequence[slice] | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
        codebook: Any = None,
    ) -> tuple[int, ...]:
        """Write them to a .npy file as they are decoded."""
        found, rows, columns = _opened(stream, region, codebook)
        extent = lengths((rows, columns))
        write_npy_head(file, extent, np.dtype(found.description.dtype))
        for values in _blocks(found, rows, columns, progress):
            file.write(np.ascontiguousarray(values).data)
        return extent

    def compare(self, stream: Stream, original: Vectors, *, codebook: Any = None) -> str:
        """How far the stream is from its original, in words. Raises: CorruptError: further."""
        found = OpenVectors(stream, _codebook(codebook))
        if original.extent != stream.header.extent:
            raise CorruptError(
                f"the stream has vectors {stream.header.extent}, the original {original.extent}"
            )
        block, squares = found.description.block, 0.0
        for number, rows in enumerate(original.blocks(block)):
            codes = found.codes()[:, number * block : number * block + len(rows)]
            off = rows - found.codebook.rebuild(codes.astype(np.int64), found.description.dtype)
            squares += float(np.einsum("nd,nd->", off, off, dtype=np.float64))
        error, said = squares / len(found), found.description.error
        if error > said * (1 + _TOLERANCE) + math.ulp(0.0):
            raise CorruptError(f"a mean squared error of {error:.6g}, the stream says {said:.6g}")
        return f"mean squared error {error:.6g}"


def _opened(
    stream: Stream, region: Sequence[slice] | None, codebook: Any
) -> tuple[OpenVectors, slice, slice]:
    """The vectors of a stream, and which rows and columns of them are asked for."""
    rows, columns = _region_of(region, stream.header.extent)
    return OpenVectors(stream, _codebook(codebook)), rows, columns


def _blocks(
    found: OpenVectors, rows: slice, columns: slice, progress: Progress | None
) -> Iterator[NDArray[Any]]:
    """These rows and columns, some thousand rows at a time."""
    starts = range(rows.start, rows.stop, found.description.block)
    for done, start in enumerate(starts, 1):
        stop = min(start + found.description.block, rows.stop)
        yield found.rebuild(np.arange(start, stop))[:, columns]
        if progress is not None:
            progress(done, len(starts))


def _codebook(given: Any) -> Codebook | None:
    return given if given is None or isinstance(given, Codebook) else read_codebook(given)


def _region_of(region: Sequence[slice] | None, extent: Sequence[int]) -> Region:
    """Rows and columns as slices within the vectors. Raises: InputError."""
    chosen = list(region or ())
    if len(chosen) > len(extent) or not all(isinstance(part, slice) for part in chosen):
        raise InputError(f"a region of vectors is slices of rows and columns, got {region!r:.60}")
    found = []
    for part, length in zip([*chosen, *[slice(None)] * (2 - len(chosen))], extent, strict=True):
        start, stop, step = part.indices(length)
        if step != 1 or stop <= start:
            raise InputError(f"no region of {tuple(extent)} without steps: {region!r:.60}")
        found.append(slice(start, stop))
    return tuple(found)


CODER = VectorCoder()
