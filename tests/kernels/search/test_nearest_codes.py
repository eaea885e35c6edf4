"""The k nearest codes against all float64 distances, sorted."""

import pytest
import torch
from torch import Tensor

import vqcodec_kernels
from vqcodec_kernels.errors import BackendError, InvalidInputError
from vqcodec_kernels.search import ranked, reference
from vqcodec_kernels.search.testing import HARD_CASES, assert_same_codes, hard_case


def brute_force(x: Tensor, codebook: Tensor, bias: Tensor | None, k: int) -> tuple[Tensor, Tensor]:
    """For x (N, D) and one codebook: by the definition, without a word of ours."""
    total = torch.zeros(len(x), len(codebook), dtype=torch.float64)
    for d in range(x.shape[1]):
        difference = x[:, d, None].double() - codebook[:, d].double()
        total = total + difference * difference
    total = total if bias is None else total + bias.double()
    order = torch.tensor(
        [sorted(range(len(row)), key=lambda c: (row[c], c)) for row in total.tolist()]
    )
    return order[:, :k], total.gather(1, order)[:, :k].float()


@pytest.mark.parametrize("k", [1, 5, 131])
@pytest.mark.parametrize("name", HARD_CASES)
def test_hard_cases(name: str, k: int) -> None:
    x, codebook, bias = hard_case(name, 71, 131, 13)
    codes, distances = vqcodec_kernels.nearest_code(x, codebook, bias, k=k, return_distance=True)
    expected_codes, expected_distances = brute_force(x, codebook, bias, k)
    assert_same_codes(codes, expected_codes)
    assert torch.equal(distances, expected_distances)
    assert_same_codes(reference.nearest_codes(x, codebook, bias, k=k)[0], expected_codes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1, 1, 1), (301, 9, 7), (37, 1031, 3), (5, 40, 1024)])
def test_sizes(shape: tuple[int, int, int], dtype: torch.dtype) -> None:
    rows, size, dim = shape
    x, codebook = torch.randn(rows, dim).to(dtype), torch.randn(size, dim).to(dtype)
    for k in {1, min(3, size), size}:
        found = vqcodec_kernels.nearest_code(x, codebook, k=k)
        assert_same_codes(found, brute_force(x, codebook, None, k)[0])


def test_the_first_is_the_nearest() -> None:
    x, codebook, bias = torch.randn(2, 33, 6), torch.randn(50, 6), torch.rand(50)
    one, distance = vqcodec_kernels.nearest_code(x, codebook, bias, return_distance=True)
    codes, distances = vqcodec_kernels.nearest_code(x, codebook, bias, k=4, return_distance=True)
    assert_same_codes(codes[..., 0], one)
    assert torch.equal(distances[..., 0], distance)


def test_more_equal_codes_than_are_spare() -> None:
    """Forty codes as near as each other: which of them come first is the index's to say."""
    x, codebook = torch.randn(23, 5), torch.randn(3, 5).repeat(40, 1)
    assert_same_codes(
        vqcodec_kernels.nearest_code(x, codebook, k=45), brute_force(x, codebook, None, 45)[0]
    )


def test_only_rows_in_doubt_are_left_to_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    rank_group = reference.rank_group

    def count(x: Tensor, *others: object) -> tuple[Tensor, Tensor]:
        seen.append(len(x))
        return rank_group(x, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(reference, "rank_group", count)
    x, codebook = torch.randn(60, 5), torch.randn(200, 5)
    ranked.nearest_codes(x, codebook, k=3)
    assert seen == []
    # Thirty equal codes near the first rows.
    codebook[50:80], x[:7] = 9.0, 8.9
    codes, _ = ranked.nearest_codes(x, codebook, k=3)
    assert seen == [7]
    assert codes[:7].tolist() == [[50, 51, 52]] * 7


def test_rows_are_taken_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    x, codebook = torch.randn(29, 5), torch.randn(37, 5)
    whole = ranked.nearest_codes(x, codebook, k=4)
    monkeypatch.setattr(ranked, "_BLOCK", 100)
    parts = ranked.nearest_codes(x, codebook, k=4)
    assert torch.equal(whole[0], parts[0])
    assert torch.equal(whole[1], parts[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("books", [(), (3,)])
def test_gradients_of_distances(books: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 17, 5).to(dtype).requires_grad_()
    codebook = torch.randn(*books, 11, 5).to(dtype).requires_grad_()
    bias = torch.rand(11, requires_grad=True)
    codes, distances = vqcodec_kernels.nearest_code(x, codebook, bias, k=4, return_distance=True)
    all_books = codebook.float().expand(2, 3, 11, 5)
    vectors = torch.take_along_dim(all_books, codes.flatten(-2)[..., None], -2)
    vectors = vectors.reshape(2, 3, 17, 4, 5)
    plain = (x.float()[..., None, :] - vectors).square().sum(-1) + bias[codes]
    weights = torch.randn_like(plain)
    found = torch.autograd.grad((weights * distances).sum(), (x, codebook, bias))
    expected = torch.autograd.grad((weights * plain).sum(), (x, codebook, bias))
    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("k", [0, -1, 12])
def test_counts_that_there_are_not(k: int) -> None:
    with pytest.raises(InvalidInputError, match=rf"k must be in \[1, 11\], got {k}"):
        vqcodec_kernels.nearest_code(torch.randn(3, 5), torch.randn(11, 5), k=k)


def test_values_and_backends() -> None:
    x, codebook = torch.randn(3, 5), torch.randn(11, 5)
    with pytest.raises(BackendError, match="'native' has no operator"):
        vqcodec_kernels.nearest_code(x, codebook, k=2, backend="native")
    codebook[4, 2] = torch.nan
    with pytest.raises(InvalidInputError, match="codebook must be finite, got nan"):
        vqcodec_kernels.nearest_code(x, codebook, k=2)


def test_no_rows() -> None:
    codes = vqcodec_kernels.nearest_code(torch.randn(2, 0, 5), torch.randn(11, 5), k=2)
    assert codes.shape == (2, 0, 2)


@pytest.mark.parametrize("size", [7, 131])
def test_a_forbidden_code_is_none_of_them(size: int) -> None:
    x, codebook, bias = torch.randn(29, 4), torch.randn(size, 4), torch.rand(size)
    bias[::3] = torch.inf
    allowed = int(bias.isfinite().sum())
    for k in (1, allowed):
        codes = vqcodec_kernels.nearest_code(x, codebook, bias, k=k)
        assert_same_codes(codes, brute_force(x, codebook, bias, k)[0])
        assert not bool((codes % 3 == 0).any())
    with pytest.raises(InvalidInputError, match=rf"k must be in \[1, {allowed}\]"):
        vqcodec_kernels.nearest_code(x, codebook, bias, k=allowed + 1)
