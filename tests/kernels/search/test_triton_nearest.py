"""nearest_code in Triton against the float64 definition, on a GPU or under the interpreter.

A process compiles its kernels or interprets them, decided before triton is first imported: where
there is a GPU these laws hold for the compiled kernels, elsewhere for the interpreted ones.
"""

import os
from typing import Any

import pytest
import torch
from torch import Tensor

from vqcodec_kernels import BackendError

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
triton_nearest = pytest.importorskip(
    "vqcodec_kernels.search.triton.nearest", reason="triton is not installed", exc_type=ImportError
)
reference = pytest.importorskip("vqcodec_kernels.search.reference")
triton_launch = pytest.importorskip(
    "vqcodec_kernels.search.triton.launch", reason="triton is not installed", exc_type=ImportError
)

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(autouse=True)
def _poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill every buffer that the host code leaves unwritten, so that a gap shows."""
    empty = torch.empty

    def poisoned(*args: Any, **kwargs: Any) -> Tensor:
        made = empty(*args, **kwargs)
        made.fill_(float("nan") if made.is_floating_point() else -(2**30))
        return made

    monkeypatch.setattr(torch, "empty", poisoned)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator).to(dtype)


def assert_nearest(x: Tensor, codebook: Tensor, bias: Tensor | None = None) -> None:
    found, distance = triton_nearest.nearest_code(
        x.to(DEVICE),
        codebook.to(DEVICE),
        None if bias is None else bias.to(DEVICE),
        return_distance=True,
    )
    codes, expected = reference.nearest_code(x, codebook, bias, return_distance=True)
    assert found.dtype == torch.int64
    assert torch.equal(found.cpu(), codes)
    assert torch.equal(distance.cpu(), expected)


@pytest.mark.parametrize("dim", [1, 8, 24, 48, 80])
@pytest.mark.parametrize("size", [1, 5, 100, 256])
def test_nearest_matches_definition(size: int, dim: int) -> None:
    assert_nearest(normal(129, dim), normal(size, dim, seed=1))


@pytest.mark.parametrize("count", [0, 1, 7, 1000])
def test_nearest_any_number_of_rows(count: int) -> None:
    assert_nearest(normal(count, 8), normal(100, 8, seed=1), normal(100, seed=2).abs())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_nearest_half_precision_input(dtype: torch.dtype) -> None:
    assert_nearest(normal(129, 24, dtype=dtype), normal(100, 24, seed=1, dtype=dtype))


@pytest.mark.parametrize("scale", [1e-30, 1e-4, 1e4, 1e18])
def test_nearest_scaled_data(scale: float) -> None:
    assert_nearest(normal(129, 24) * scale + 3 * scale, normal(100, 24, seed=1) * scale + 3 * scale)


def test_nearest_batched_with_bias() -> None:
    x, codebook = normal(3, 2, 70, 16), normal(3, 2, 40, 16, seed=1)
    assert_nearest(x, codebook, normal(3, 2, 40, seed=2))
    assert_nearest(x, codebook, normal(40, seed=2))
    assert_nearest(x, codebook[0, 0], normal(40, seed=2))


def test_nearest_more_batches_than_a_grid_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = triton_launch.batch_parts(2 * 65535 + 1)
    assert [(part.start, part.stop) for part in parts] == [
        (0, 65535),
        (65535, 131070),
        (131070, 131071),
    ]
    monkeypatch.setattr(triton_launch, "_BATCHES_AT_ONCE", 2)
    x, codebook = normal(5, 40, 8), normal(5, 33, 8, seed=1)
    assert_nearest(x, codebook, normal(5, 33, seed=2))
    assert_nearest(x, codebook)


def test_nearest_lowest_index_at_ties() -> None:
    codebook = normal(300, 16, seed=1)
    codebook[150:300] = codebook[:150]
    codebook[7] = codebook[130]
    assert_nearest(normal(129, 16), codebook)
    assert_nearest(codebook.clone(), codebook)
    assert_nearest(normal(20, 16), normal(1, 16, seed=3).expand(70, 16))


def test_nearest_near_ties() -> None:
    codebook = normal(256, 24, seed=1)
    codebook[128:] = torch.nextafter(codebook[:128], torch.tensor(float("inf")))
    assert_nearest(codebook[:129] + 1e-3 * normal(129, 24), codebook)
    midpoints = (codebook[:128] + codebook[1:129]) / 2
    assert_nearest(midpoints, codebook)


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_nearest_rows_far_beyond_the_codes() -> None:
    x = normal(60, 16)
    x[::3] *= 1e7
    x[1] *= 1e30
    assert_nearest(x, normal(70, 16, seed=1))


def test_nearest_huge_bias_disables_codes() -> None:
    bias = torch.zeros(100)
    bias[::2] = 1e30
    assert_nearest(normal(129, 24), normal(100, 24, seed=1), bias)


def test_nearest_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_nearest, "_ROWS_AT_ONCE", 200)
    assert_nearest(normal(2, 250, 16), normal(2, 70, 16, seed=1))


def test_nearest_split_over_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[tuple[int, int]] = []
    split = triton_nearest.split_tiles

    def always(row_blocks: int, tiles: int, processors: int) -> tuple[int, int]:
        shares.append(split(row_blocks, tiles, 1 << 20))
        return shares[-1]

    monkeypatch.setattr(triton_nearest, "split_tiles", always)
    codebook = normal(1100, 8, seed=1)
    codebook[1024] = codebook[3]
    assert_nearest(torch.cat([normal(60, 8), codebook[3:4]]), codebook)
    assert shares[0][0] > 1


@pytest.mark.parametrize("dim", [130, 300])
def test_nearest_wide_rows_in_pieces(dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_nearest, "_ROUNDED_AT_ONCE", 2 * 50 * 320)
    assert_nearest(normal(2, 60, dim), normal(2, 70, dim, seed=1))


def test_fast_within_documented_error() -> None:
    x, codebook = normal(500, 24), normal(256, 24, seed=1)
    codes = triton_nearest.nearest_code_fast(x.to(DEVICE), codebook.to(DEVICE)).cpu()
    distance = torch.cdist(x.double(), codebook.double()).square()
    excess = distance.gather(1, codes[:, None])[:, 0] - distance.amin(1)
    # The kernel's centre is the mean of 64 of the codes: within 1 of the origin here.
    largest = codebook.norm(dim=1).max() + 1
    row = x.norm(dim=1) + 1
    assert (excess <= 2**-8 * row * largest + (24 + 4) * 2**-21 * (row + largest) ** 2).all()
    assert (codes == reference.nearest_code(x, codebook)).float().mean() > 0.98


def test_fast_names_an_existing_pair_at_ties() -> None:
    codebook = normal(300, 16, seed=1)
    codebook[150:] = codebook[:150]
    x = normal(129, 16)
    codes = triton_nearest.nearest_code_fast(x.to(DEVICE), codebook.to(DEVICE)).cpu()
    assert (codes % 150 == reference.nearest_code(x, codebook)).float().mean() > 0.98


@pytest.mark.skipif(DEVICE == "cuda", reason="the tensors are where the kernels run")
def test_cpu_tensors_without_the_interpreter_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET")
    with pytest.raises(BackendError, match=r"got device .cpu"):
        triton_nearest.nearest_code(normal(3, 8), normal(4, 8))
