"""The compiled kernels on a real device: many fresh rows, memory, compilations.

The other tests of the Triton operators run on the device too where there is one.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

pytest.importorskip("triton", reason="triton is not installed")
pytestmark = pytest.mark.gpu

BLOCK = 1 << 20


@pytest.fixture(autouse=True)
def _large_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the float64 definition hold 512 MB of distances at once: few launches."""
    from vqcodec_kernels.search import reference

    monkeypatch.setattr(reference, "BLOCK_DISTANCES", 1 << 26)


def normal(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator("cuda").manual_seed(seed)
    return torch.randn(shape, generator=generator, device="cuda")


def count_differences(rows: int, codebook: Tensor, bias: Tensor | None, seed: int) -> int:
    from vqcodec_kernels.search import reference
    from vqcodec_kernels.search.triton.nearest import nearest_code

    wrong = 0
    for start in range(0, rows, BLOCK):
        x = normal(min(BLOCK, rows - start), codebook.shape[1], seed=seed + start)
        found, expected = nearest_code(x, codebook, bias), reference.nearest_code(x, codebook, bias)
        assert isinstance(found, Tensor)
        assert isinstance(expected, Tensor)
        wrong += int(found.ne(expected).sum())
    return wrong


# 1.04 * 10^8 rows in all.
@pytest.mark.parametrize(
    ("rows", "size", "dim"),
    [
        (64_000_000, 64, 8),
        (30_000_000, 256, 8),
        (8_000_000, 256, 48),
        (1_900_000, 1024, 64),
        (100_000, 8192, 64),
        (20_000, 2048, 256),
        (4_000, 1024, 1000),
    ],
)
def test_no_difference_to_definition(rows: int, size: int, dim: int) -> None:
    codebook = normal(size, dim, seed=rows)
    assert count_differences(rows, codebook, None, seed=size) == 0
    bias = normal(size, seed=dim).abs()
    assert count_differences(min(rows, BLOCK), codebook, bias, seed=dim) == 0


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_twins_and_far_rows(scale: float) -> None:
    codebook = normal(512, 32, seed=1)
    codebook[256:] = torch.nextafter(codebook[:256], codebook[:256] + 1)
    codebook[100:110] = codebook[:10]
    assert count_differences(200_000, codebook * scale + 3 * scale, None, seed=2) == 0


def test_residual_codes_match_stage_by_stage() -> None:
    from vqcodec_kernels.search import reference
    from vqcodec_kernels.search.triton.residual import residual_codes

    for dim, size, stages in ((8, 256, 4), (48, 256, 10), (64, 1024, 8)):
        x = normal(200_000, dim, seed=dim)
        books = normal(stages, size, dim, seed=size)
        books *= 0.8 ** torch.arange(stages, device="cuda")[:, None, None]
        books[:, 0] = 0
        assert torch.equal(residual_codes(x, books), reference.residual_codes(x, books))


def test_statistics_same_bits_every_time() -> None:
    from vqcodec_kernels.search import reference
    from vqcodec_kernels.search.triton.statistics import code_statistics

    x = normal(1_000_000, 64, seed=1)
    codes = (normal(1_000_000, seed=2).abs() * 200).long().clamp(max=1023)
    counts, sums = code_statistics(x, codes, 1024)
    again = code_statistics(x, codes, 1024)
    expected_counts, expected_sums = reference.code_statistics(x, codes, 1024)
    assert torch.equal(counts, again[0])
    assert torch.equal(counts, expected_counts)
    assert torch.equal(sums, again[1])
    torch.testing.assert_close(sums, expected_sums, rtol=1e-6, atol=1e-5)


def test_extra_memory_below_64_megabytes() -> None:
    from vqcodec_kernels.search.triton.nearest import nearest_code

    for rows, size, dim in ((1 << 20, 1024, 64), (1 << 20, 8192, 64), (1 << 18, 16384, 256)):
        x, codebook = normal(rows, dim, seed=1), normal(size, dim, seed=2)
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        codes = nearest_code(x, codebook)
        assert isinstance(codes, Tensor)
        extra = torch.cuda.max_memory_allocated() - before - codes.nbytes
        assert extra < 64 << 20, (rows, size, dim, extra)


def test_new_number_of_rows_compiles_nothing() -> None:
    from vqcodec_kernels.search.triton import filter as triton_filter
    from vqcodec_kernels.search.triton import settle as triton_settle
    from vqcodec_kernels.search.triton.nearest import nearest_code

    def compiled() -> int:
        kernels: list[Any] = [triton_filter.filter_kernel, triton_settle.settle_kernel]
        return sum(len(cache[0]) for kernel in kernels for cache in kernel.device_caches.values())

    codebook = normal(256, 32, seed=1)
    nearest_code(normal(100_000, 32, seed=2), codebook)
    before = compiled()
    assert before > 0
    for rows in (100_001, 123_456, 99_999, 160_000):
        nearest_code(normal(rows, 32, seed=rows), codebook)
    assert compiled() == before
