"""The search in Triton where several codes share a running minimum, as narrow rows do.

On a GPU, or under the interpreter where there is none: decided before triton is first imported.
"""

import os

import pytest
import torch
from torch import Tensor

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="triton is not installed")

from vqcodec_kernels.search import reference
from vqcodec_kernels.search.testing import HARD_CASES, assert_same_codes, hard_case
from vqcodec_kernels.search.triton import launch as triton_launch
from vqcodec_kernels.search.triton import nearest as triton_nearest
from vqcodec_kernels.search.triton import tiles as triton_tiles

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(params=[False, True], ids=["apart", "adjacent"])
def tiles(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> list[triton_tiles.Tile]:
    """Group the codes of every search, in one of the two ways; collects the tiles that it took."""
    taken: list[triton_tiles.Tile] = []
    choose = triton_tiles.choose_tile

    def grouped(dim: int, codebook_size: int, device: triton_tiles.Device) -> triton_tiles.Tile:
        taken.append(choose(dim, codebook_size, device)._replace(adjacent=request.param))
        return taken[-1]

    monkeypatch.setattr(triton_tiles, "_CODES_PER_COLUMN", 1)
    monkeypatch.setattr(triton_nearest, "choose_tile", grouped)
    return taken


def found(x: Tensor, codebook: Tensor, bias: Tensor | None = None) -> Tensor:
    offsets = None if bias is None else bias.to(DEVICE)
    return torch.as_tensor(
        triton_nearest.nearest_code(x.to(DEVICE), codebook.to(DEVICE), offsets)
    ).cpu()


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
@pytest.mark.parametrize("dim", [8, 48])
@pytest.mark.parametrize("name", HARD_CASES)
def test_hard_cases(name: str, dim: int, tiles: list[triton_tiles.Tile]) -> None:
    case = hard_case(name, 45, 140, dim)
    assert_same_codes(found(*case), reference.nearest_code(*case))
    assert [tile.group for tile in tiles] == [4]


@pytest.mark.parametrize("distance", [1, 2, 16, 48, 64])
def test_twins_of_one_group_and_of_several(distance: int, tiles: list[triton_tiles.Tile]) -> None:
    # Distances within a group, across groups of a tile, and across tiles.
    generator = torch.Generator().manual_seed(distance)
    codebook = torch.randn(192, 8, generator=generator)
    twins = torch.arange(192 - distance)[(torch.arange(192 - distance) // distance) % 2 == 0]
    codebook[twins + distance] = codebook[twins]
    nearly = codebook.clone()
    nearly[twins] = torch.nextafter(codebook[twins], torch.tensor(float("inf")))
    x = codebook[twins] + 1e-3 * torch.randn(len(twins), 8, generator=generator)
    for book in (codebook, nearly):
        assert_same_codes(found(x, book), reference.nearest_code(x, book))
    assert tiles[0].codes == 64


def test_split_over_codes(monkeypatch: pytest.MonkeyPatch, tiles: list[triton_tiles.Tile]) -> None:
    monkeypatch.setattr(triton_nearest, "split_tiles", lambda *sizes: (3, 2))
    x, codebook, bias = hard_case("biased", 70, 6 * 64 - 5, 8)
    codebook[300] = codebook[3]
    x = torch.cat([x, codebook[3:4]])
    assert_same_codes(found(x, codebook, bias), reference.nearest_code(x, codebook, bias))


def test_fast_is_within_its_bound(tiles: list[triton_tiles.Tile]) -> None:
    x, codebook, _ = hard_case("duplicates", 100, 140, 24)
    codes = triton_nearest.nearest_code_fast(x.to(DEVICE), codebook.to(DEVICE)).cpu()
    scores = torch.cdist(x.double(), codebook.double()).square()
    excess = scores.gather(1, codes[:, None])[:, 0] - scores.amin(1)
    # The kernel's centre is the mean of 64 of the codes: within 1 of the origin here.
    row, largest = x.norm(dim=1) + 1, codebook.norm(dim=1).max() + 1
    assert (excess <= 2**-8 * row * largest + (24 + 4) * 2**-21 * (row + largest) ** 2).all()


@pytest.mark.parametrize(
    ("dim", "size", "group"),
    [(8, 1023, 1), (8, 1024, 4), (48, 3071, 1), (48, 3072, 4), (64, 4096, 4), (80, 1 << 20, 1)],
)
def test_narrow_rows_against_many_codes_are_grouped(dim: int, size: int, group: int) -> None:
    device = triton_launch.find_device(torch.device("cpu"))
    assert triton_tiles.choose_tile(dim, size, device).group == group


def test_grouped_without_being_asked() -> None:
    codebook = hard_case("normal", 1, 1024, 8).codebook
    x = hard_case("normal", 40, 1, 8, seed=1).x
    assert_same_codes(found(x, codebook), reference.nearest_code(x, codebook))
