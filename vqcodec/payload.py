"""Codes of a whole picture to the payloads of its tiles, and back; no networks here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Header, iterate_tiles
from vqcodec.errors import CorruptError
from vqcodec.priors import Prior
from vqcodec_kernels.errors import CorruptPayloadError, InvalidInputError

__all__ = ["Region", "decode_codes", "encode_codes", "tile_regions"]


Region = tuple[slice, ...]


def tile_regions(width: int, height: int, stride: int) -> list[Region]:
    """The part of the grid of positions that each tile of a picture covers, in file order."""
    regions: list[Region] = []
    for tile in iterate_tiles(width, height):
        rows, columns = tile.grid(stride)
        top, left = tile.top // stride, tile.left // stride
        regions.append((slice(top, top + rows), slice(left, left + columns)))
    return regions


def encode_codes(
    codes: NDArray[np.int64], prior: Prior, regions: Sequence[Region], *, threads: int = 1
) -> list[bytes]:
    """Code each region on its own: codes int64 (S, *grid) -> one payload per region.

    threads: as for `Prior.encode`, for one region after the other.
    """
    parts = (np.ascontiguousarray(codes[:, *region]) for region in regions)
    return [prior.encode(part, threads=threads) for part in parts]


def decode_codes(
    payloads: Sequence[bytes],
    header: Header,
    priors: Mapping[int, Prior],
    *,
    grid: tuple[int, ...],
    regions: Sequence[Region],
) -> NDArray[np.int64]:
    """Read the codes of a signal, int64 (S, *grid), from one payload per region.

    Raises:
        CorruptError: a payload is not one that an encoder writes, or needs a prior or a number of
            stages that the model does not have.
    """
    prior = priors.get(header.prior_mode)
    if prior is None:
        raise CorruptError(f"the model has no prior of mode {header.prior_mode}")
    if len(header.stages) != 1 or header.stages[0] > prior.stages:
        raise CorruptError(
            f"the stream has stages {header.stages}, the model one level of {prior.stages}"
        )
    # A large grid is cheap to declare: payloads are decoded one by one before the whole is laid
    # out, so that a damaged first one is refused before memory is taken for the others.
    parts = []
    for number, (payload, region) in enumerate(zip(payloads, regions, strict=True)):
        shape = (header.stages[0], *(part.stop - part.start for part in region))
        try:
            parts.append(prior.decode(payload, shape))
        except (CorruptPayloadError, InvalidInputError) as error:
            raise CorruptError(f"code chunk {number}: {error}") from error
    codes = np.empty((header.stages[0], *grid), np.int64)
    for part, region in zip(parts, regions, strict=True):
        codes[:, *region] = part
    return codes
