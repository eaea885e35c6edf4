"""Rows that a mask leaves out count nowhere, whatever is in them; the others know nothing of it."""

import pytest
import torch

import vqcodec_kernels
from vqcodec_kernels.errors import InvalidInputError

SIZE, DIM = 11, 5


def padded(*leading: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows with NaN where the mask is False: the mask is all that keeps it out."""
    mask = torch.rand(*leading, 23) < 0.6
    x = torch.randn(*leading, 23, DIM).masked_fill(~mask[..., None], torch.nan)
    return x, mask


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("leading", [(), (4,), (4, 3)])
def test_quantize_vectors(leading: tuple[int, ...], backend: str) -> None:
    x, mask = padded(*leading)
    codebook, bias = torch.randn(SIZE, DIM), torch.rand(SIZE)
    found = vqcodec_kernels.quantize_vectors(x, codebook, bias, mask=mask, backend=backend)
    alone = vqcodec_kernels.quantize_vectors(x[mask], codebook, bias, backend=backend)
    assert torch.equal(found.codes[mask], alone.codes)
    assert torch.equal(found.values[mask], alone.values)
    assert torch.equal(found.squared_error[mask], alone.squared_error)
    assert torch.equal(found.counts, alone.counts)
    assert (found.codes[~mask] == -1).all()
    assert (found.values[~mask] == 0).all()
    assert (found.squared_error[~mask] == 0).all()
    assert found.counts.sum() == mask.sum()


def test_quantize_vectors_with_a_codebook_for_each_head() -> None:
    x, mask = padded(4, 3)
    codebook = torch.randn(3, SIZE, DIM)
    found = vqcodec_kernels.quantize_vectors(x, codebook, mask=mask)
    for head in range(3):
        alone = vqcodec_kernels.quantize_vectors(x[:, head][mask[:, head]], codebook[head])
        assert torch.equal(found.codes[:, head][mask[:, head]], alone.codes)
        assert torch.equal(found.counts[head], alone.counts)


def test_gradients_of_quantized_vectors() -> None:
    x, mask = padded(4)
    x, codebook = x.requires_grad_(), torch.randn(SIZE, DIM, requires_grad=True)
    found = vqcodec_kernels.quantize_vectors(x, codebook, mask=mask)
    gradients = torch.autograd.grad(
        (found.values.sin() + found.squared_error[..., None]).sum(), (x, codebook)
    )
    alone = vqcodec_kernels.quantize_vectors(x[mask], codebook)
    expected = torch.autograd.grad(
        (alone.values.sin() + alone.squared_error[..., None]).sum(), (x, codebook)
    )
    torch.testing.assert_close(gradients, expected)
    assert (gradients[0][~mask] == 0).all()


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("axes", [0, 1, 2])
def test_code_statistics(axes: int, backend: str) -> None:
    x, mask = padded(4, 3)
    x.requires_grad_()
    codes = torch.randint(SIZE, (4, 3, 23)).masked_fill(~mask, -1)
    counts, sums = vqcodec_kernels.code_statistics(
        x, codes, SIZE, mask=mask, codebook_axes=axes, backend=backend
    )
    hits = torch.nn.functional.one_hot(codes.clamp(min=0), SIZE) * mask[..., None]
    added = hits.double().mT @ x.detach().nan_to_num().double()
    kept = (4, 3)[2 - axes :]
    assert torch.equal(counts, hits.sum(-2).reshape(-1, *kept, SIZE).sum(0))
    expected = added.reshape(-1, *kept, SIZE, DIM).sum(0).float()
    torch.testing.assert_close(sums.detach(), expected)
    (gradient,) = torch.autograd.grad(sums.sum(), x)
    assert torch.equal(gradient, mask[..., None].expand_as(x).float())


def test_the_bits_of_the_sums_are_those_without_the_rows() -> None:
    x, mask = padded()
    x, codes = x * 10 ** (6 * torch.rand(23, 1)), torch.randint(3, (23,))
    counts, sums = vqcodec_kernels.code_statistics(x, codes, 3, mask=mask)
    alone = vqcodec_kernels.code_statistics(x[mask], codes[mask], 3)
    assert torch.equal(counts, alone[0])
    assert torch.equal(sums, alone[1])


@pytest.mark.parametrize("value", [False, True])
def test_all_or_nothing(value: bool) -> None:
    x, codebook, mask = torch.randn(7, DIM), torch.randn(SIZE, DIM), torch.full((7,), value)
    found = vqcodec_kernels.quantize_vectors(x, codebook, mask=mask)
    counts, sums = vqcodec_kernels.code_statistics(x, found.codes, SIZE, mask=mask)
    assert found.counts.sum() == (7 if value else 0)
    assert torch.equal(counts, found.counts)
    assert (sums == 0).all() != value


def test_a_kept_row_needs_a_code() -> None:
    codes = torch.tensor([0, -1, SIZE])
    mask = torch.tensor([True, False, True])
    with pytest.raises(InvalidInputError, match=rf"\[0, {SIZE}\), got {SIZE}"):
        vqcodec_kernels.code_statistics(torch.randn(3, DIM), codes, SIZE, mask=mask)


@pytest.mark.parametrize(
    ("mask", "shown"),
    [
        (torch.ones(7), "float32"),
        ([True] * 7, "list"),
        (torch.ones(6, dtype=torch.bool), r"\(7,\) on cpu as x is, got \(6,\)"),
        (torch.ones(7, dtype=torch.bool, device="meta"), "on meta"),
    ],
)
def test_masks_that_do_not_fit(mask: torch.Tensor, shown: str) -> None:
    x, codebook = torch.randn(7, DIM), torch.randn(SIZE, DIM)
    with pytest.raises(InvalidInputError, match=shown):
        vqcodec_kernels.quantize_vectors(x, codebook, mask=mask)
    with pytest.raises(InvalidInputError, match=shown):
        vqcodec_kernels.code_statistics(x, torch.zeros(7).long(), SIZE, mask=mask)
