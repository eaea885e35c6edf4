"""Codes of a signal to one payload per region, and back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.bitstream import Header, packed_size
from vqcodec.errors import CorruptError
from vqcodec.grid import Region, cut
from vqcodec.payload import decode_codes, encode_region, smallest_payloads
from vqcodec.priors import Prior, RawPrior, StaticPrior

STAGES, SIZE = 3, 10
GRIDS: list[tuple[int, ...]] = [(8,), (1,), (300,), (5, 7), (2, 257), (129, 128), (3, 2, 140)]


def header(*, stages: int = STAGES, prior: int = 0, regions: int = 1) -> Header:
    return Header(
        medium=0,
        extent=(1, 1),
        channels=3,
        stages=stages,
        prior=prior,
        fingerprint=bytes(8),
        regions=regions,
    )


def regions_of(grid: tuple[int, ...]) -> list[Region]:
    return list(cut(grid, [128] * len(grid)))


def random_codes(grid: tuple[int, ...]) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, SIZE, (STAGES, *grid))


def encoded(codes: NDArray[np.int64], prior: Prior) -> list[bytes]:
    regions = regions_of(codes.shape[1:])
    return [encode_region(codes[:, *region], {7: prior})[7] for region in regions]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_round_trip(grid: tuple[int, ...]) -> None:
    regions = regions_of(grid)
    codes = random_codes(grid)
    for prior in (RawPrior(SIZE, STAGES), StaticPrior.fit([codes], codebook_size=SIZE)):
        payloads = encoded(codes, prior)
        assert len(payloads) == len(regions)
        found = decode_codes(
            payloads,
            header(prior=prior.mode, regions=len(regions)),
            {prior.mode: prior},
            grid=grid,
            regions=regions,
        )
        np.testing.assert_array_equal(found, codes)


def test_each_region_stands_alone() -> None:
    codes = random_codes((2, 257))
    prior = RawPrior(SIZE, STAGES)
    before = encoded(codes, prior)
    codes[:, :, 130] = (codes[:, :, 130] + 1) % SIZE
    after = encoded(codes, prior)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]


@pytest.mark.parametrize("skewed", [False, True])
def test_the_prior_that_takes_least_is_chosen(skewed: bool) -> None:
    codes = random_codes((40, 200))
    if skewed:
        codes[codes > 2] = 0
    fitted = StaticPrior.fit([np.zeros((STAGES, 5), np.int64)], codebook_size=SIZE)
    priors: dict[int, Prior] = {0: RawPrior(SIZE, STAGES), 1: fitted}
    sizes = {
        number: sum(map(packed_size, encoded(codes, prior))) for number, prior in priors.items()
    }
    regions = regions_of((40, 200))
    number, payloads = smallest_payloads(
        [encode_region(codes[:, *region], priors) for region in regions]
    )
    assert number == min(sizes, key=lambda number: sizes[number]) == int(skewed)
    assert sum(map(packed_size, payloads)) == min(sizes.values())


def test_what_does_not_fit_the_model() -> None:
    prior = RawPrior(SIZE, STAGES)
    regions = regions_of((2, 2))
    payloads = encoded(random_codes((2, 2)), prior)
    for wrong, message in (
        (header(prior=1), "no prior 1"),
        (header(stages=4), "4 stages of codes, the model 3"),
    ):
        with pytest.raises(CorruptError, match=message):
            decode_codes(payloads, wrong, {0: prior}, grid=(2, 2), regions=regions)


def test_damaged_payload_is_named() -> None:
    prior = RawPrior(SIZE, STAGES)
    regions = regions_of((2, 257))
    payloads = encoded(random_codes((2, 257)), prior)
    payloads[1] = payloads[1][:-1]
    with pytest.raises(CorruptError, match="code chunk 1"):
        decode_codes(payloads, header(regions=3), {0: prior}, grid=(2, 257), regions=regions)


def test_first_damaged_payload_is_refused_before_memory_is_taken() -> None:
    """The grid that is declared would take 2^50 bytes."""
    prior = RawPrior(SIZE, STAGES)
    grid = (1 << 22, 1 << 22)
    regions: list[Region] = [(slice(0, 128), slice(0, 128))]
    with pytest.raises(CorruptError, match="code chunk 0"):
        decode_codes([b"\0"], header(), {0: prior}, grid=grid, regions=regions)
