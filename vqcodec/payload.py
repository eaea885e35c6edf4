"""Codes of regions to payloads, and back; no networks here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Header, Stream
from vqcodec.errors import CorruptError, InputError, UnknownModelError
from vqcodec.grid import Region, lengths
from vqcodec.model.file import ModelCard
from vqcodec.priors import Prior
from vqcodec_kernels.errors import CorruptPayloadError, InvalidInputError

__all__ = [
    "checked_cut",
    "decode_codes",
    "decode_region",
    "encode_region",
    "prior_of",
    "region_codes",
    "smallest_payloads",
    "smallest_prior",
]


def checked_cut(
    header: Header, card: ModelCard, *, medium: int
) -> tuple[tuple[int, ...], list[Region]]:
    """Grid and regions of a stream, which is refused if a model cannot have written it.

    medium: the number of the model's own.

    Raises:
        UnknownModelError: the stream names another model.
        CorruptError: it is of another medium, extent or number of regions.
    """
    named = header.fingerprint.hex()
    if named != card.fingerprint:
        raise UnknownModelError(
            f"needs the model {named}, this one is {card.label} ({card.fingerprint})"
        )
    if header.medium != medium:
        raise CorruptError(f"says medium {header.medium}, its model is for {medium}")
    try:
        return card.config.cut_into(header.regions, header.extent)
    except InputError as error:
        raise CorruptError(str(error)) from error


def encode_region(
    codes: NDArray[np.int64], priors: Mapping[int, Prior], *, threads: int = 1
) -> dict[int, bytes]:
    """Code a region, int64 (S, *positions), with every prior: payloads by the number of the prior.

    threads: as for `Prior.encode`.
    """
    codes = np.ascontiguousarray(codes)
    return {number: prior.encode(codes, threads=threads) for number, prior in priors.items()}


def smallest_payloads(found: Sequence[Mapping[int, bytes]]) -> tuple[int, list[bytes]]:
    """The prior that takes least for the first region, and the payloads of all by it.

    The adaptive prior is nearly always the smallest; a signal of a few positions may do better with
    fixed tables. Of more regions the first one tells, so that a stream can be written as it comes.
    The first of equals is taken.

    >>> smallest_payloads([{0: bytes(9), 1: bytes(3)}, {0: bytes(9), 1: bytes(14)}])[0]
    1
    """
    number = smallest_prior(found[0])
    return number, [payloads[number] for payloads in found]


def smallest_prior(payloads: Mapping[int, bytes]) -> int:
    """The number of the prior whose payload is the shortest; the first of equals.

    >>> smallest_prior({0: bytes(9), 1: bytes(3), 2: bytes(3)})
    1
    """
    return min(payloads, key=lambda prior: len(payloads[prior]))


def prior_of(header: Header, priors: Mapping[int, Prior]) -> Prior:
    """The prior that a stream names.

    Raises:
        CorruptError: the model lacks it, or it is for fewer stages than the stream has.
    """
    prior = priors.get(header.prior)
    if prior is None:
        raise CorruptError(f"the model has no prior {header.prior}")
    if header.stages > prior.stages:
        raise CorruptError(
            f"the stream has {header.stages} stages of codes, the model {prior.stages}"
        )
    return prior


def decode_region(
    payload: bytes,
    prior: Prior,
    *,
    stages: int,
    region: Region,
    number: int,
    first: int | None = None,
) -> NDArray[np.int64]:
    """Read the codes of a region, int64 (stages, *positions).

    number: of the region, for the message of an error. first: read so many stages alone, see
    `Prior.decode`.
    Raises: CorruptError if the payload is not one that an encoder writes.
    """
    try:
        return prior.decode(payload, (stages, *lengths(region)), stages=first)
    except (CorruptPayloadError, InvalidInputError) as error:
        # Only here is known which chunk it is, and that a wrong shape is the stream's fault.
        raise CorruptError(f"code chunk {number}: {error}") from error


def region_codes(
    stream: Stream, priors: Mapping[int, Prior], *, first: int | None = None
) -> Callable[[int, Region], NDArray[np.int64]]:
    """What reads the codes of a region of a stream by its number and its place in the grid.

    Where a region is not there its codes are 0, which stands for the vector of zeros.

    first: read so many stages alone.
    Raises: CorruptError as `prior_of`; what it gives, as `decode_region`.
    """
    prior, stages = prior_of(stream.header, priors), stream.header.stages

    def codes_of(number: int, region: Region) -> NDArray[np.int64]:
        payload = stream.codes_of(number)
        if payload is None:
            return np.zeros((stages if first is None else first, *lengths(region)), np.int64)
        return decode_region(
            payload, prior, stages=stages, region=region, number=number, first=first
        )

    return codes_of


def decode_codes(
    payloads: Sequence[bytes],
    header: Header,
    priors: Mapping[int, Prior],
    *,
    grid: tuple[int, ...],
    regions: Sequence[Region],
    first: int | None = None,
) -> NDArray[np.int64]:
    """Read the codes of a signal, int64 (S, *grid), from one payload per region.

    first: read at most so many stages alone.
    Raises:
        CorruptError: as `prior_of` and `decode_region`.
    """
    prior, stages = prior_of(header, priors), header.stages
    # All stages are read as such: only then is the end of a payload looked at.
    first = None if first is None or first >= stages else first
    if len(payloads) != len(regions):
        raise CorruptError(f"there are {len(payloads)} payloads for {len(regions)} regions")
    # A large grid is cheap to declare: payloads are decoded one by one before the whole is laid
    # out, so that a damaged first one is refused before memory is taken for the others.
    parts = [
        decode_region(payload, prior, stages=stages, region=region, number=number, first=first)
        for number, (payload, region) in enumerate(zip(payloads, regions, strict=True))
    ]
    codes = np.empty((first or stages, *grid), np.int64)
    for part, region in zip(parts, regions, strict=True):
        codes[:, *region] = part
    return codes
