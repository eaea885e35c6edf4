"""Gradients of the operators: those of plain torch with the codes held fixed, or a refusal."""

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

import vqcodec_kernels
from vqcodec_kernels.errors import InvalidInputError

ROWS, SIZE, DIM = 37, 11, 5


def gather(codebook: Tensor, codes: Tensor) -> Tensor:
    return torch.take_along_dim(codebook, codes[..., None], dim=-2)


def leaves(*shapes: tuple[int, ...], dtype: torch.dtype = torch.float32) -> list[Tensor]:
    return [torch.randn(shape).to(dtype).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("batch", [(), (2, 3)])
def test_of_distances(batch: tuple[int, ...], backend: str) -> None:
    x, codebook, bias = leaves((*batch, ROWS, DIM), (*batch, SIZE, DIM), (*batch, SIZE))
    codes, distance = vqcodec_kernels.nearest_code(
        x, codebook, bias, return_distance=True, backend=backend
    )
    assert not codes.requires_grad
    plain = (x - gather(codebook, codes)).square().sum(-1) + bias.gather(-1, codes)
    weights = torch.randn_like(plain)
    found = torch.autograd.grad((weights * distance).sum(), (x, codebook, bias))
    expected = torch.autograd.grad((weights * plain).sum(), (x, codebook, bias))
    torch.testing.assert_close(found, expected)


def test_of_distances_with_one_bias_for_a_batch_of_codebooks() -> None:
    x, codebook, bias = leaves((2, ROWS, DIM), (2, SIZE, DIM), (SIZE,))
    codes, distance = vqcodec_kernels.nearest_code(x, codebook, bias, return_distance=True)
    (found,) = torch.autograd.grad(distance.sum(), bias)
    assert torch.equal(found, torch.bincount(codes.flatten(), minlength=SIZE).float())


def test_of_distances_to_half_precision() -> None:
    x, codebook = leaves((ROWS, DIM), (SIZE, DIM), dtype=torch.bfloat16)
    _, distance = vqcodec_kernels.nearest_code(x, codebook, return_distance=True)
    found = torch.autograd.grad(distance.sum(), (x, codebook))
    assert [gradient.dtype for gradient in found] == [torch.bfloat16] * 2


def test_second_derivatives_of_distances() -> None:
    x, codebook = leaves((ROWS, DIM), (SIZE, DIM))
    _, distance = vqcodec_kernels.nearest_code(x, codebook, return_distance=True)
    (slope,) = torch.autograd.grad(distance.sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    assert torch.equal(curvature, torch.full_like(x, 2))


def test_codes_alone_carry_none() -> None:
    x, codebook = leaves((ROWS, DIM), (SIZE, DIM))
    assert not vqcodec_kernels.nearest_code(x, codebook).requires_grad
    found = vqcodec_kernels.beam_codes(x, codebook[None], beams=2)
    assert not any(tensor.requires_grad for tensor in found)


@pytest.mark.parametrize("batch", [(), (2, 3)])
def test_of_sums(batch: tuple[int, ...]) -> None:
    (x,) = leaves((*batch, ROWS, DIM))
    codes = torch.randint(SIZE, (*batch, ROWS))
    counts, sums = vqcodec_kernels.code_statistics(x, codes, SIZE)
    assert not counts.requires_grad
    weights = torch.randn_like(sums)
    (found,) = torch.autograd.grad((weights * sums).sum(), x)
    assert torch.equal(found, gather(weights, codes))


X, CODEBOOK = torch.randn(ROWS, DIM), torch.randn(SIZE, DIM)
FUNCTIONS = {
    "nearest_code": lambda x: vqcodec_kernels.nearest_code(x, CODEBOOK, return_distance=True)[1],
    "quantize_vectors": lambda x: vqcodec_kernels.quantize_vectors(x, CODEBOOK).squared_error,
    "beam_codes": lambda x: vqcodec_kernels.beam_codes(x, CODEBOOK[None], beams=2)[1],
    "code_statistics": lambda x: vqcodec_kernels.code_statistics(
        x, torch.zeros(ROWS, dtype=torch.int64), SIZE
    )[1],
}


# torch's own forward mode scripts its formulas when it is first entered.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is:DeprecationWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward_mode_is_refused(name: str) -> None:
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(X, X)  # type: ignore[no-untyped-call]
        with pytest.raises(InvalidInputError, match="x has a tangent"):
            FUNCTIONS[name](dual)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functional_gradients_are_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match="functorch"):
        torch.func.grad(lambda x: FUNCTIONS[name](x).sum())(X)
