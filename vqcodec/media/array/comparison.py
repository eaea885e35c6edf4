"""An array that was decoded beside its original."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Stream
from vqcodec.errors import CorruptError
from vqcodec.grid import Region, cut
from vqcodec.media.array.chunk_codec import errors_of
from vqcodec.media.array.decoding import coding_of, decode
from vqcodec.media.array.description import extent_of
from vqcodec.media.array.signal import Array
from vqcodec.media.array.threads import in_threads
from vqcodec.media.array.words import parts_of

__all__ = ["compare", "psnr"]


def compare(stream: Stream, original: Array, *, threads: int | None = None) -> float:
    """The largest error of a stream, in the measure of its mode, as it is decoded here.

    Raises:
        CorruptError: another shape or dtype, or an error above the bound of the stream.
    """
    coding = coding_of(stream)
    d = coding.description
    values = original.values
    if values.shape != d.shape or values.dtype.name != d.dtype:
        raise CorruptError(
            f"the stream has {d.dtype} {d.shape}, the original {values.dtype.name} {values.shape}"
        )
    if d.is_empty:
        return 0.0

    def look(region: Region) -> tuple[float, int, float]:
        part = values[region] if values.ndim else values.reshape(1)
        decoded = parts_of(decode(stream, region=region, threads=1).values)
        errors, wrong = errors_of(parts_of(part), decoded, coding)
        outside = errors[wrong].max(initial=0.0)
        return float(errors.max(initial=0.0)), int(wrong.sum()), float(outside)

    # Chunk by chunk, so that an array that is mapped from a file need not fit into memory.
    looked = list(in_threads(look, cut(extent_of(d.shape), d.chunk), threads))
    wrong = sum(count for _, count, _ in looked)
    if wrong:
        largest = max(outside for _, _, outside in looked)
        raise CorruptError(f"{wrong} values are further off than {d.mode} {d.bound:g}: {largest:g}")
    return max(error for error, _, _ in looked)


def psnr(decoded: NDArray[Any], original: NDArray[Any]) -> float:
    """Decibels over the range of the finite values; infinite where all values are equal.

    >>> psnr(np.array([0.0, 1.1]), np.array([0.0, 1.0])).__round__(2)
    23.01
    """
    wanted = parts_of(original).astype(np.float64)
    off = parts_of(decoded).astype(np.float64) - wanted
    finite = np.isfinite(wanted)
    mean = float(np.square(off[finite]).mean()) if finite.any() else 0.0
    if mean == 0:
        return math.inf
    spread = float(wanted[finite].max() - wanted[finite].min())
    return 10 * math.log10(spread**2 / mean) if spread > 0 else -math.inf
