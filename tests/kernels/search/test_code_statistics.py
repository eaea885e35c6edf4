import pytest
import torch

import vqcodec_kernels
from vqcodec_kernels.errors import InvalidInputError
from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search import reference


def one_row_after_the_other(
    x: torch.Tensor, codes: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    counts = torch.zeros(size, dtype=torch.int64)
    sums = torch.zeros(size, x.shape[-1], dtype=torch.float64)
    for row, code in zip(x.double(), codes.tolist(), strict=True):
        counts[code] += 1
        sums[code] += row
    return counts, sums.float()


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1, 1, 1), (501, 7, 19), (90, 200, 3)])
def test_sums_in_the_order_of_the_rows(
    shape: tuple[int, int, int], dtype: torch.dtype, backend: str
) -> None:
    rows, size, dim = shape
    # Sizes from 1 to 1e6, so that another order would give other bits.
    x = (torch.randn(rows, dim) * 10 ** (6 * torch.rand(rows, 1))).clamp(-6e4, 6e4).to(dtype)
    codes = torch.randint(size, (rows,))
    counts, sums = vqcodec_kernels.code_statistics(x, codes, size, backend=backend)
    expected_counts, expected_sums = one_row_after_the_other(x, codes, size)
    assert torch.equal(counts, expected_counts)
    assert torch.equal(sums, expected_sums)


@pytest.mark.parametrize("threads", [2, 7])
def test_threads_do_not_change_a_bit(threads: int) -> None:
    x, codes = torch.randn(40000, 37), torch.randint(50, (40000,))
    alone = native_search.code_statistics(x, codes, 50, threads=1)
    together = native_search.code_statistics(x, codes, 50, threads=threads)
    assert torch.equal(alone[0], together[0])
    assert torch.equal(alone[1], together[1])
    assert torch.equal(alone[1], reference.code_statistics(x, codes, 50)[1])


@pytest.mark.parametrize("backend", ["native", "torch"])
def test_one_histogram_for_each_group(backend: str) -> None:
    x, codes = torch.randn(2, 3, 40, 5), torch.randint(6, (2, 3, 40))
    counts, sums = vqcodec_kernels.code_statistics(x, codes, 6, backend=backend)
    for i in range(2):
        for j in range(3):
            expected = one_row_after_the_other(x[i, j], codes[i, j], 6)
            assert torch.equal(counts[i, j], expected[0])
            assert torch.equal(sums[i, j], expected[1])


def test_no_rows_leave_zeros() -> None:
    counts, sums = vqcodec_kernels.code_statistics(
        torch.empty(0, 2), torch.empty(0, dtype=torch.int64), 3
    )
    assert counts.tolist() == [0, 0, 0]
    assert sums.tolist() == [[0, 0], [0, 0], [0, 0]]


@pytest.mark.parametrize("bad", [-1, 4, 1 << 40])
def test_codes_out_of_range(bad: int) -> None:
    codes = torch.tensor([0, bad, 3])
    with pytest.raises(InvalidInputError, match=rf"\[0, 4\), got {bad}"):
        vqcodec_kernels.code_statistics(torch.randn(3, 2), codes, 4)
