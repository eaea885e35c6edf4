"""The beam over the stages: greedy with one beam, exhaustive with enough, priced in between."""

import itertools

import pytest
import torch
from torch import Tensor

from vqcodec.quantizers.search import beam_codes
from vqcodec_kernels import residual_codes

DIM, STAGES, SIZE = 4, 3, 6


def problem(seed: int, rows: int = 300) -> tuple[Tensor, Tensor, Tensor]:
    """Rows (N, D), codebooks (S, K, D) that shrink from stage to stage, bits (S, K)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, DIM, generator=generator)
    books = torch.randn(STAGES, SIZE, DIM, generator=generator)
    books *= torch.tensor([1.0, 0.6, 0.4])[:, None, None]
    books[:, 0] = 0
    bits = 0.5 + 7 * torch.rand(STAGES, SIZE, generator=generator)
    return x, books, bits


def cost(x: Tensor, books: Tensor, bits: Tensor, prices: Tensor, codes: Tensor) -> Tensor:
    """||residual||^2 + sum of price * bits of whole code words (N, S), float64 (N,)."""
    values = sum(books[stage].double()[codes[:, stage]] for stage in range(len(books)))
    paid = sum(
        prices[stage].double() * bits[stage].double()[codes[:, stage]]
        for stage in range(len(books))
    )
    return (x.double() - values).square().sum(1) + paid


def brute_force(x: Tensor, books: Tensor, bits: Tensor, prices: Tensor) -> Tensor:
    """The least cost over all K^S code words, float64 (N,)."""
    words = torch.tensor(list(itertools.product(range(SIZE), repeat=len(books))))
    costs = [cost(x, books, bits, prices, word[None].expand(len(x), -1)) for word in words]
    return torch.stack(costs).min(0).values


@pytest.mark.parametrize("rows", [1, 7, 300, 2049])
def test_one_beam_without_a_price_is_the_greedy_search(rows: int) -> None:
    x, books, bits = problem(0, rows)
    codes, _ = beam_codes(x, books, bits=bits, prices=torch.zeros(STAGES), beams=1)
    assert torch.equal(codes, residual_codes(x, books))


def test_one_beam_with_a_price_is_the_greedy_search_with_a_bias() -> None:
    x, books, bits = problem(1)
    prices = torch.tensor([0.3, 0.2, 0.1])
    codes, _ = beam_codes(x, books, bits=bits, prices=prices, beams=1)
    assert torch.equal(codes, residual_codes(x, books, bits * prices[:, None]))


@pytest.mark.parametrize("price", [0.0, 0.05, 0.4])
def test_enough_beams_find_the_best_word(price: float) -> None:
    x, books, bits = problem(2, 60)
    prices = torch.full((STAGES,), price)
    # Before the last stage no word is dropped with K^(S-1) beams.
    codes, _ = beam_codes(x, books, bits=bits, prices=prices, beams=SIZE ** (STAGES - 1))
    found = cost(x, books, bits, prices, codes)
    torch.testing.assert_close(found, brute_force(x, books, bits, prices), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("price", [0.0, 0.1])
def test_more_beams_are_better_on_average(price: float) -> None:
    x, books, bits = problem(3, 2000)
    prices = torch.full((STAGES,), price)
    means = []
    for beams in (1, 2, 4, 8, 36):
        codes, _ = beam_codes(x, books, bits=bits, prices=prices, beams=beams)
        means.append(float(cost(x, books, bits, prices, codes).mean()))
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.98 * means[0]


def test_a_higher_price_buys_fewer_bits() -> None:
    x, books, bits = problem(4)
    spent, errors = [], []
    for price in (0.0, 0.02, 0.1, 0.5, 100.0):
        prices = torch.full((STAGES,), price)
        codes, left = beam_codes(x, books, bits=bits, prices=prices, beams=36)
        spent.append(float(bits.gather(1, codes.T).sum()))
        errors.append(float(left[:, -1].sum()))
    assert spent == sorted(spent, reverse=True)
    assert errors == sorted(errors)
    cheapest = bits.min(1).values.sum() * len(x)
    assert spent[-1] == pytest.approx(float(cheapest), rel=1e-5)


@pytest.mark.parametrize("beams", [1, 3, 16])
def test_errors_are_those_of_the_words(beams: int) -> None:
    x, books, bits = problem(5)
    codes, errors = beam_codes(x, books, bits=bits, prices=torch.full((3,), 0.1), beams=beams)
    residual = x.double()
    for stage in range(STAGES):
        residual = residual - books[stage].double()[codes[:, stage]]
        wanted = residual.square().sum(1)
        torch.testing.assert_close(errors[:, stage].double(), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("beams", [1, 4])
def test_blocks_do_not_show(beams: int) -> None:
    """Rows are searched in blocks; the codes of a row do not depend on its neighbours."""
    x, books, bits = problem(6, 2048 + 5)
    prices = torch.full((STAGES,), 0.1)
    whole, _ = beam_codes(x, books, bits=bits, prices=prices, beams=beams)
    tail, _ = beam_codes(x[2000:], books, bits=bits, prices=prices, beams=beams)
    assert torch.equal(whole[2000:], tail)


def test_more_beams_than_words() -> None:
    x, books, bits = problem(7, 5)
    prices = torch.zeros(1)
    codes, _ = beam_codes(x, books[:1], bits=bits[:1], prices=prices, beams=100)
    assert torch.equal(codes, residual_codes(x, books[:1]))


def test_no_rows() -> None:
    _, books, bits = problem(8)
    codes, errors = beam_codes(
        torch.zeros(0, DIM), books, bits=bits, prices=torch.zeros(STAGES), beams=4
    )
    assert codes.shape == errors.shape == (0, STAGES)
    assert codes.dtype == torch.int64
