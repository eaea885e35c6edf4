"""Codes of a whole signal to the payloads of its regions, and back; no networks here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Header, packed_size
from vqcodec.errors import CorruptError
from vqcodec.grid import Region, lengths
from vqcodec.priors import Prior
from vqcodec_kernels.errors import CorruptPayloadError, InvalidInputError

__all__ = ["decode_codes", "encode_codes", "smallest_payloads"]


def encode_codes(
    codes: NDArray[np.int64], prior: Prior, regions: Sequence[Region], *, threads: int = 1
) -> list[bytes]:
    """Code each region on its own: codes int64 (S, *grid) -> one payload per region.

    threads: as for `Prior.encode`, for one region after the other.
    """
    parts = (np.ascontiguousarray(codes[:, *region]) for region in regions)
    return [prior.encode(part, threads=threads) for part in parts]


def smallest_payloads(
    codes: NDArray[np.int64],
    priors: Mapping[int, Prior],
    regions: Sequence[Region],
    *,
    threads: int = 1,
) -> tuple[int, list[bytes]]:
    """Code each region with every prior: the number of the one that takes least, and its payloads.

    The adaptive prior is nearly always the smallest; a signal of a few positions may do better with
    fixed tables. The first of equals is taken.
    """
    found = {
        number: encode_codes(codes, prior, regions, threads=threads)
        for number, prior in priors.items()
    }
    number = min(found, key=lambda number: sum(map(packed_size, found[number])))
    return number, found[number]


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
    prior = priors.get(header.prior)
    if prior is None:
        raise CorruptError(f"the model has no prior {header.prior}")
    if header.stages > prior.stages:
        raise CorruptError(
            f"the stream has {header.stages} stages of codes, the model {prior.stages}"
        )
    # A large grid is cheap to declare: payloads are decoded one by one before the whole is laid
    # out, so that a damaged first one is refused before memory is taken for the others.
    parts = []
    for number, (payload, region) in enumerate(zip(payloads, regions, strict=True)):
        try:
            parts.append(prior.decode(payload, (header.stages, *lengths(region))))
        except (CorruptPayloadError, InvalidInputError) as error:
            # Only here is known which chunk it is, and that a wrong shape is the stream's fault.
            raise CorruptError(f"code chunk {number}: {error}") from error
    codes = np.empty((header.stages, *grid), np.int64)
    for part, region in zip(parts, regions, strict=True):
        codes[:, *region] = part
    return codes
