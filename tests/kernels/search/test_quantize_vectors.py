import pytest
import torch

import vqcodec_kernels
from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search import reference
from vqcodec_kernels.search.level import LEVELS
from vqcodec_kernels.search.testing import HARD_CASES, assert_same_codes, hard_case


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", HARD_CASES)
def test_native_is_the_reference(name: str, level: str) -> None:
    case = hard_case(name, 77, 130, 11)
    found = native_search.quantize_vectors(*case, level=level)
    expected = reference.quantize_vectors(*case)
    assert_same_codes(found.codes, expected.codes)
    for part, wanted in zip(found[1:], expected[1:], strict=True):
        assert part.dtype == wanted.dtype
        assert torch.equal(part, wanted)


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_parts_agree_with_one_another(dtype: torch.dtype, backend: str) -> None:
    x, codebook = torch.randn(2, 3, 25, 9), torch.randn(2, 3, 14, 9).to(dtype)
    bias = torch.rand(2, 3, 14) * 5
    codes, values, squared_error, counts = vqcodec_kernels.quantize_vectors(
        x, codebook, bias, backend=backend
    )
    assert values.dtype == dtype
    index = codes.unsqueeze(-1).expand(-1, -1, -1, 9)
    assert torch.equal(values, codebook.gather(2, index))
    # The bias steers the choice and is no part of the error.
    error = (x.double() - values.double()).square().sum(-1)
    assert torch.allclose(squared_error.double(), error, rtol=1e-6, atol=0)
    uses = torch.nn.functional.one_hot(codes, 14).sum(2)
    assert torch.equal(counts, uses)


def test_shared_codebook_counts_all_rows() -> None:
    x, codebook = torch.randn(4, 30, 3), torch.randn(8, 3)
    result = vqcodec_kernels.quantize_vectors(x, codebook)
    assert result.counts.tolist() == torch.bincount(result.codes.flatten(), minlength=8).tolist()


def test_no_rows_count_nothing() -> None:
    codes, values, squared_error, counts = vqcodec_kernels.quantize_vectors(
        torch.empty(0, 3), torch.randn(4, 3)
    )
    assert (codes.shape, values.shape, squared_error.shape) == ((0,), (0, 3), (0,))
    assert counts.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("batch", [(), (2,)])
def test_gradients_with_the_codes_held_fixed(batch: tuple[int, ...]) -> None:
    x = torch.randn(*batch, 12, 5, requires_grad=True)
    codebook = torch.randn(*batch, 7, 5, requires_grad=True)
    result = vqcodec_kernels.quantize_vectors(x, codebook)
    weight, slope = torch.rand(*batch, 12), torch.randn(*batch, 12, 5)
    found = torch.autograd.grad(
        (result.squared_error * weight).sum() + (result.values * slope).sum(), (x, codebook)
    )
    index = result.codes.unsqueeze(-1).expand(*batch, 12, 5)
    values = codebook.gather(-2, index)
    error = (x - values).square().sum(-1)
    expected = torch.autograd.grad((error * weight).sum() + (values * slope).sum(), (x, codebook))
    for gradient, wanted in zip(found, expected, strict=True):
        assert torch.allclose(gradient, wanted, rtol=1e-5, atol=1e-6)
