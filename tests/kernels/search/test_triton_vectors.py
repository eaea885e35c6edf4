"""residual_codes, quantize_vectors and code_statistics in Triton against the definition.

On a GPU, or under the interpreter where there is none: decided before triton is first imported.
"""

import os
from typing import Any

import pytest
import torch
from torch import Tensor

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="triton is not installed")

from vqcodec_kernels.search import reference
from vqcodec_kernels.search.triton import launch as triton_launch
from vqcodec_kernels.search.triton import quantize as triton_quantize
from vqcodec_kernels.search.triton import residual as triton_residual
from vqcodec_kernels.search.triton import statistics as triton_statistics

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(autouse=True)
def _poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill every buffer that the host code leaves unwritten, so that a gap shows."""
    empty = torch.empty

    def poisoned(*args: Any, **kwargs: Any) -> Tensor:
        made = empty(*args, **kwargs)
        return made.fill_(float("nan") if made.is_floating_point() else -(2**30))

    monkeypatch.setattr(torch, "empty", poisoned)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator).to(dtype)


def assert_residual(
    x: Tensor, codebooks: Tensor, biases: Tensor | None = None, stages: int | None = None
) -> None:
    found = triton_residual.residual_codes(
        x.to(DEVICE), codebooks.to(DEVICE), None if biases is None else biases.to(DEVICE), stages
    )
    expected = reference.residual_codes(x, codebooks, biases, stages)
    assert found.dtype == torch.int64
    assert torch.equal(found.cpu(), expected)


@pytest.mark.parametrize(
    ("count", "size", "dim"), [(1, 1, 1), (7, 5, 8), (129, 70, 24), (40, 100, 80)]
)
def test_residual_matches_stage_by_stage(count: int, size: int, dim: int) -> None:
    codebooks = normal(3, size, dim, seed=1)
    codebooks[:, 0] = 0
    assert_residual(normal(count, dim), codebooks)


def test_residual_model_shape_with_biases_and_fewer_stages() -> None:
    codebooks = normal(4, 256, 48, seed=1) * torch.tensor([1.0, 0.7, 0.5, 0.3])[:, None, None]
    codebooks[:, 0] = 0
    assert_residual(normal(60, 48), codebooks, normal(4, 256, seed=2).abs(), stages=3)


def test_residual_settles_twins_in_every_stage() -> None:
    codebooks = normal(3, 90, 16, seed=1)
    codebooks[:, 45:] = codebooks[:, :45]
    codebooks[1, 7] = torch.nextafter(codebooks[1, 6], torch.tensor(float("inf")))
    assert_residual(normal(70, 16) + 4, codebooks + 1)


def test_residual_batched_half_precision_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_residual, "_SCRATCH", 2 * 128 * 8)
    x = normal(2, 150, 8, dtype=torch.bfloat16)
    assert_residual(x, normal(2, 2, 40, 8, seed=1, dtype=torch.float16))
    assert_residual(x, normal(2, 40, 8, seed=1), normal(2, 40, seed=2))


def test_more_batches_than_a_grid_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_launch, "_BATCHES_AT_ONCE", 2)
    x, codebooks = normal(5, 30, 8), normal(5, 2, 20, 8, seed=1)
    assert_residual(x, codebooks, normal(5, 2, 20, seed=2))
    assert_residual(x, codebooks)
    found = triton_quantize.quantize_vectors(x.to(DEVICE), codebooks[:, 0].to(DEVICE))
    expected = reference.quantize_vectors(x, codebooks[:, 0])
    for name, got, want in zip(expected._fields, found, expected, strict=True):
        assert torch.equal(got.cpu(), want), name


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
@pytest.mark.parametrize("dim", [8, 80])
def test_a_residual_that_overflows_takes_code_0_from_there_on(dim: int) -> None:
    x, codebooks = normal(9, dim), normal(3, 20, dim, seed=1)
    x[4], codebooks[0, :] = 3.3e38, -3e38
    codebooks[0, 7] = -2.5e38
    assert_residual(x, codebooks)


def test_residual_wide_rows_go_stage_by_stage() -> None:
    assert_residual(normal(2, 20, 130), normal(2, 2, 40, 130, seed=1))


def test_residual_nothing_to_do() -> None:
    assert_residual(normal(0, 8), normal(2, 5, 8, seed=1))
    assert_residual(normal(3, 8), normal(2, 5, 8, seed=1), stages=0)


@pytest.mark.parametrize("shape", [(0, 8), (1, 1), (129, 24), (2, 70, 80)])
def test_quantize_matches_definition(shape: tuple[int, ...]) -> None:
    x = normal(*shape)
    codebook = normal(*shape[:-2], 37, shape[-1], seed=1, dtype=torch.float16)
    found = triton_quantize.quantize_vectors(x.to(DEVICE), codebook.to(DEVICE))
    expected = reference.quantize_vectors(x, codebook)
    for name, got, want in zip(expected._fields, found, expected, strict=True):
        assert got.dtype == want.dtype, name
        assert torch.equal(got.cpu(), want), name


@pytest.mark.parametrize(("shape", "size"), [((1, 1), 1), ((1000, 5), 7), ((2, 300, 70), 6)])
def test_statistics_match_definition(shape: tuple[int, ...], size: int) -> None:
    x = normal(*shape) * 1e3
    codes = normal(*shape[:-1], seed=1).abs().mul(size / 2).long().clamp(max=size - 1)
    # Most rows on one code: a segment of several pieces.
    codes[..., : shape[-2] * 3 // 4] = size // 2
    counts, sums = triton_statistics.code_statistics(x.to(DEVICE), codes.to(DEVICE), size)
    expected_counts, expected_sums = reference.code_statistics(x, codes, size)
    assert torch.equal(counts.cpu(), expected_counts)
    assert torch.equal(sums.cpu(), expected_sums)


def test_statistics_of_no_rows() -> None:
    counts, sums = triton_statistics.code_statistics(
        normal(2, 0, 3).to(DEVICE), torch.zeros(2, 0, dtype=torch.int64, device=DEVICE), 4
    )
    assert torch.equal(counts.cpu(), torch.zeros(2, 4, dtype=torch.int64))
    assert torch.equal(sums.cpu(), torch.zeros(2, 4, 3))
