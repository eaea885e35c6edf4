"""Costs that follow what the search chooses."""

import math

import pytest
import torch
from torch import Tensor

from vqcodec.quantizers.residual import ResidualQuantizer
from vqcodec.training.costs import fit_shares, measure_usage
from vqcodec_kernels import residual_codes


@pytest.fixture
def rows() -> Tensor:
    return torch.randn(1500, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def quantizer(rows: Tensor) -> ResidualQuantizer:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(5, stages=3, codebook_size=8)
    quantizer.start(rows.T[None])
    quantizer.shares.fill_(math.nan)
    quantizer.shares[:] = 1 / 8
    return quantizer.eval()


def test_without_a_price_they_are_the_frequencies_of_the_nearest_codes(
    quantizer: ResidualQuantizer, rows: Tensor
) -> None:
    fit_shares(quantizer, rows, mu=0.0, beams=1)
    codes = residual_codes(rows, torch.stack([book.vectors for book in quantizer.books()]))
    for stages in (1, 2, 3):
        for stage in range(stages):
            share = torch.bincount(codes[:, stage], minlength=8) / len(rows)
            torch.testing.assert_close(quantizer.shares[stages - 1, stage], share)


def test_they_sum_to_one_and_leave_the_rest_alone(
    quantizer: ResidualQuantizer, rows: Tensor
) -> None:
    before = {name: t.clone() for name, t in quantizer.state_dict().items() if name != "shares"}
    fit_shares(quantizer, rows, mu=2.0)
    for stages in (1, 2, 3):
        sums = quantizer.shares[stages - 1, :stages].sum(-1)
        torch.testing.assert_close(sums, torch.ones(stages))
    for name, tensor in before.items():
        assert torch.equal(quantizer.state_dict()[name], tensor), name


def test_the_dearer_a_bit_the_lower_the_entropy(quantizer: ResidualQuantizer, rows: Tensor) -> None:
    entropies = []
    for mu in (0.0, 1.0, 4.0, 16.0):
        fit_shares(quantizer, rows, mu=mu)
        share = quantizer.shares[2]
        entropies.append(-float((share * share.clamp_min(1e-12).log2()).sum()))
    assert entropies == sorted(entropies, reverse=True)
    assert entropies[-1] < 0.5 * entropies[0]


def test_usage_is_that_of_the_nearest_codes(quantizer: ResidualQuantizer, rows: Tensor) -> None:
    far = 100.0
    quantizer.books()[1].vectors[3:6] = far
    codes = residual_codes(rows, torch.stack([book.vectors for book in quantizer.books()]))
    found = measure_usage(quantizer, rows, beams=1)
    assert [alive for alive, _ in found] == [8, 5, 8]
    for stage, (_, perplexity) in enumerate(found):
        share = torch.bincount(codes[:, stage], minlength=8).double() / len(rows)
        entropy = -sum(p * math.log(p) for p in share.tolist() if p)
        assert perplexity == pytest.approx(math.exp(entropy), rel=1e-4)
