"""From what a model decodes to the numbers that were encoded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import PartialStream, Stream
from vqcodec.errors import CorruptError
from vqcodec.grid import Region, clip, inside, lengths, stretch, whole
from vqcodec.media.base import Part
from vqcodec.media.field.chunks import missing_of, numbers_of
from vqcodec.media.field.signal import Field
from vqcodec.scale import block_means

__all__ = ["field_of"]


def field_of(parts: Iterable[Part], stream: Stream, region: Region, *, shrink: int = 1) -> Field:
    """A region of the field that a stream describes; see `Medium.from_samples`.

    At 1/shrink of the size a mean over what is missing is missing, too.
    """
    header = stream.header
    numbers = numbers_of(header, stream.side_chunks)
    if isinstance(stream, PartialStream) and len(stream.codes) < header.regions:
        # Numbers that are made up look like any others.
        raise CorruptError(
            f"a field is decoded whole: {len(stream.codes)} of {header.regions} regions are there"
        )
    missing = None
    planes: NDArray[Any] | None = None
    dtype = np.dtype(numbers.dtype)
    for place, samples in parts:
        if planes is None:
            # Only now: the channels are the model's, of which a header cannot make more.
            if len(samples) != header.channels:
                raise CorruptError(
                    f"the header says {header.channels} channels, the model has {len(samples)}"
                )
            missing = missing_of(stream)
            planes = np.empty((header.channels, *lengths(region)), dtype)
        planes[:, *inside(place, region)] = _as_type(samples, dtype)
    assert planes is not None
    if missing is not None:
        seen = clip(stretch(region, (shrink, shrink)), whole(header.extent))
        lacking = block_means(missing[:, *seen], shrink, axes=2) > 0
        planes[np.broadcast_to(lacking, planes.shape)] = np.nan
    return Field(planes if numbers.axes == 3 else planes[0])


def _as_type(samples: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Samples as the nearest numbers of a type that there are."""
    if dtype.kind == "f":
        most = float(np.finfo(np.float16 if dtype == np.float16 else np.float32).max)
        return samples.clip(-most, most).astype(dtype)
    info = np.iinfo(dtype)
    # In float64, which has the ends of the range exactly.
    return np.rint(samples.astype(np.float64)).clip(info.min, info.max).astype(dtype)
