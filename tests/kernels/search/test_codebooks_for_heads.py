"""One codebook for each head, whatever stands before the heads: as if every head were alone."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

import vqcodec_kernels
from vqcodec_kernels.errors import InvalidInputError
from vqcodec_kernels.search.testing import assert_same_codes

# Batch, heads, rows; and two axes of either.
SHAPES = [((5,), (3,), 17), ((2, 3), (4,), 9), ((2,), (3, 2), 7), ((1,), (1,), 1), ((), (3,), 5)]
SIZE, DIM = 13, 6


def draw(shape: tuple[tuple[int, ...], tuple[int, ...], int]) -> tuple[Tensor, Tensor, Tensor]:
    batch, heads, rows = shape
    x = torch.randn(*batch, *heads, rows, DIM)
    return x, torch.randn(*heads, SIZE, DIM), torch.rand(*heads, SIZE)


def distances(x: Tensor, codebook: Tensor, bias: Tensor) -> Tensor:
    return (x.double()[..., None, :] - codebook.double()).square().sum(-1) + bias.double()


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("shape", SHAPES)
def test_nearest_code(shape: tuple[tuple[int, ...], tuple[int, ...], int], backend: str) -> None:
    x, codebook, bias = draw(shape)
    # Broadcast by torch: the codebook of a head stands before the rows of every batch.
    expected = distances(x, codebook.unsqueeze(-3), bias.unsqueeze(-2))
    codes, distance = vqcodec_kernels.nearest_code(
        x, codebook, bias, return_distance=True, backend=backend
    )
    assert_same_codes(codes, expected.argmin(-1))
    assert codes.is_contiguous()
    torch.testing.assert_close(distance, expected.amin(-1).float())
    ranks = vqcodec_kernels.nearest_code(x, codebook, bias, k=3)
    assert_same_codes(ranks, expected.topk(3, largest=False).indices)
    fast = vqcodec_kernels.nearest_code_fast(x, codebook, bias, backend=backend)
    assert_same_codes(fast, expected.argmin(-1))


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("shape", SHAPES)
def test_quantize_vectors(
    shape: tuple[tuple[int, ...], tuple[int, ...], int], backend: str
) -> None:
    x, codebook, bias = draw(shape)
    codebook.requires_grad_()
    found = vqcodec_kernels.quantize_vectors(x, codebook, bias, backend=backend)
    expected = distances(x, codebook.unsqueeze(-3), bias.unsqueeze(-2)).argmin(-1)
    assert_same_codes(found.codes, expected)
    books = codebook.expand(*x.shape[:-2], SIZE, DIM)
    values = torch.take_along_dim(books, expected[..., None], -2)
    assert torch.equal(found.values, values)
    hits = torch.nn.functional.one_hot(expected, SIZE).sum(-2)
    assert torch.equal(found.counts, hits.reshape(-1, *shape[1], SIZE).sum(0))
    weights = torch.randn_like(values)
    (gradient,) = torch.autograd.grad((weights * found.values).sum(), codebook)
    (plain,) = torch.autograd.grad((weights * values).sum(), codebook)
    torch.testing.assert_close(gradient, plain)


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("shape", SHAPES)
def test_stages(shape: tuple[tuple[int, ...], tuple[int, ...], int], backend: str) -> None:
    x, _, _ = draw(shape)
    codebooks, biases = torch.randn(*shape[1], 3, SIZE, DIM), torch.rand(*shape[1], 3, SIZE)
    found = vqcodec_kernels.residual_codes(x, codebooks, biases, backend=backend)
    searched, errors = vqcodec_kernels.beam_codes(x, codebooks, biases, beams=3, backend=backend)
    for head in itertools.product(*map(range, shape[1])):
        here: Any = (..., *head, slice(None), slice(None))
        alone = (x[here].reshape(-1, DIM), codebooks[head], biases[head])
        codes = vqcodec_kernels.residual_codes(*alone, backend="torch")
        assert_same_codes(found[here].reshape(-1, 3), codes)
        codes, left = vqcodec_kernels.beam_codes(*alone, beams=3, backend="torch")
        assert_same_codes(searched[here].reshape(-1, 3), codes)
        torch.testing.assert_close(errors[here].reshape(-1, 3), left, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("axes", [0, 1, 2, None])
def test_code_statistics(axes: int | None, backend: str) -> None:
    x, codes = torch.randn(4, 3, 19, DIM), torch.randint(SIZE, (4, 3, 19))
    x.requires_grad_()
    counts, sums = vqcodec_kernels.code_statistics(
        x, codes, SIZE, codebook_axes=axes, backend=backend
    )
    hits = torch.nn.functional.one_hot(codes, SIZE)
    added = hits.double().mT @ x.detach().double()
    kept = (4, 3)[2 - (2 if axes is None else axes) :]
    assert torch.equal(counts, hits.sum(-2).reshape(-1, *kept, SIZE).sum(0))
    expected = added.reshape(-1, *kept, SIZE, DIM).sum(0).float()
    torch.testing.assert_close(sums.detach(), expected)
    (gradient,) = torch.autograd.grad(sums.sum(), x)
    assert torch.equal(gradient, torch.ones_like(x))


def test_axes_that_do_not_fit() -> None:
    x, codebook = torch.randn(5, 3, 7, DIM), torch.randn(5, SIZE, DIM)
    with pytest.raises(InvalidInputError, match=r"last of the leading sizes of x \(5, 3, 7, 6\)"):
        vqcodec_kernels.nearest_code(x, codebook)
    with pytest.raises(InvalidInputError, match=r"got \(2, 5, 3, 13, 6\)"):
        vqcodec_kernels.nearest_code(x, torch.randn(2, 5, 3, SIZE, DIM))
    codes = torch.zeros(5, 3, 7, dtype=torch.int64)
    for axes in (-1, 3):
        with pytest.raises(InvalidInputError, match=rf"codebook_axes.*\[0, 2\].*got {axes}"):
            vqcodec_kernels.code_statistics(x, codes, SIZE, codebook_axes=axes)
