"""Codes of a picture to one payload per tile, and back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.bitstream import Header
from vqcodec.errors import CorruptError
from vqcodec.payload import Region, decode_codes, encode_codes, tile_regions
from vqcodec.priors import RawPrior, StaticPrior

STAGES, SIZE = 3, 10


def header(width: int, height: int, **fields: object) -> Header:
    values: dict[str, object] = {
        "width": width,
        "height": height,
        "channels": 3,
        "stages": (STAGES,),
        "prior_mode": 0,
        "fingerprint": bytes(8),
    }
    return Header(**(values | fields))  # type: ignore[arg-type]


def random_codes(grid: tuple[int, ...]) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, SIZE, (STAGES, *grid))


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (1024, 1024), (1025, 9), (9, 1025), (2500, 2049), (3072, 1)]
)
@pytest.mark.parametrize("stride", [4, 8, 16])
def test_regions_cover_the_grid_once(width: int, height: int, stride: int) -> None:
    rows, columns = -(-height // stride), -(-width // stride)
    covered = np.zeros((rows, columns), int)
    corners = []
    for region in tile_regions(width, height, stride):
        assert covered[region].size > 0
        covered[region] += 1
        corners.append((region[0].start, region[1].start))
    assert (covered == 1).all()
    assert corners == sorted(corners), "row by row, left to right"
    side = 1024 // stride
    assert all(row % side == column % side == 0 for row, column in corners)


@pytest.mark.parametrize(("width", "height"), [(7, 5), (1025, 9), (9, 2050)])
def test_round_trip(width: int, height: int) -> None:
    grid = (-(-height // 8), -(-width // 8))
    regions = tile_regions(width, height, 8)
    codes = random_codes(grid)
    for prior in (RawPrior(SIZE, STAGES), StaticPrior.fit([codes], codebook_size=SIZE)):
        payloads = encode_codes(codes, prior, regions)
        assert len(payloads) == len(regions)
        found = decode_codes(
            payloads,
            header(width, height, prior_mode=prior.mode),
            {prior.mode: prior},
            grid=grid,
            regions=regions,
        )
        np.testing.assert_array_equal(found, codes)


def test_each_tile_stands_alone() -> None:
    codes = random_codes((2, 257))
    regions = tile_regions(2049, 9, 8)
    prior = RawPrior(SIZE, STAGES)
    before = encode_codes(codes, prior, regions)
    codes[:, :, 130] = (codes[:, :, 130] + 1) % SIZE
    after = encode_codes(codes, prior, regions)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_one_axis_of_positions() -> None:
    codes = random_codes((8,))
    regions: list[Region] = [(slice(0, 8),)]
    prior = RawPrior(SIZE, STAGES)
    found = decode_codes(
        encode_codes(codes, prior, regions), header(28, 28), {0: prior}, grid=(8,), regions=regions
    )
    np.testing.assert_array_equal(found, codes)


def test_what_does_not_fit_the_model() -> None:
    prior = RawPrior(SIZE, STAGES)
    regions = tile_regions(16, 16, 8)
    payloads = encode_codes(random_codes((2, 2)), prior, regions)
    for wrong, message in (
        (header(16, 16, prior_mode=1), "no prior of mode 1"),
        (header(16, 16, stages=(4,)), "stages"),
        (header(16, 16, stages=(1, 2)), "stages"),
    ):
        with pytest.raises(CorruptError, match=message):
            decode_codes(payloads, wrong, {0: prior}, grid=(2, 2), regions=regions)


def test_damaged_payload_is_named() -> None:
    prior = RawPrior(SIZE, STAGES)
    regions = tile_regions(2049, 9, 8)
    payloads = encode_codes(random_codes((2, 257)), prior, regions)
    payloads[1] = payloads[1][:-1]
    with pytest.raises(CorruptError, match="code chunk 1"):
        decode_codes(payloads, header(2049, 9), {0: prior}, grid=(2, 257), regions=regions)


def test_first_damaged_payload_is_refused_before_memory_is_taken() -> None:
    """The grid that is declared would take 2^50 bytes."""
    prior = RawPrior(SIZE, STAGES)
    grid = (1 << 22, 1 << 22)
    regions: list[Region] = [(slice(0, 128), slice(0, 128))]
    with pytest.raises(CorruptError, match="code chunk 0"):
        decode_codes([b"\0"], header(2**25, 1), {0: prior}, grid=grid, regions=regions)
