import pytest
import torch

import vqcodec_kernels
from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search import reference
from vqcodec_kernels.search.level import LEVELS
from vqcodec_kernels.search.testing import assert_same_codes


def stage_by_stage(
    x: torch.Tensor, codebooks: torch.Tensor, biases: torch.Tensor | None
) -> torch.Tensor:
    residual, codes = x.float(), []
    for stage, codebook in enumerate(codebooks):
        bias = None if biases is None else biases[stage]
        codes.append(reference.nearest_code(residual, codebook, bias))
        residual = residual - codebook.float()[codes[-1]]
    return torch.stack(codes, dim=-1)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (67, 3, 50, 7), (300, 10, 256, 48)])
def test_native_codes(shape: tuple[int, int, int, int], biased: bool, level: str) -> None:
    rows, stages, size, dim = shape
    x = torch.randn(rows, dim)
    # Code 0 is the zero vector, as in the codec: it leaves the residual as it was.
    codebooks = torch.randn(stages, size, dim) * 0.7 ** torch.arange(stages)[:, None, None]
    codebooks[:, 0] = 0
    biases = torch.rand(stages, size) if biased else None
    codes = native_search.residual_codes(x, codebooks, biases, level=level)
    assert_same_codes(codes, stage_by_stage(x, codebooks, biases))


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_batches_of_codebooks(dtype: torch.dtype, backend: str) -> None:
    x = torch.randn(3, 20, 5).to(dtype)
    codebooks, biases = torch.randn(3, 4, 33, 5).to(dtype), torch.rand(4, 33)
    codes = vqcodec_kernels.residual_codes(x, codebooks, biases, backend=backend)
    for i in range(3):
        assert_same_codes(codes[i], stage_by_stage(x[i], codebooks[i], biases))
    shared = vqcodec_kernels.residual_codes(x, codebooks[0], backend=backend)
    assert_same_codes(shared[2], stage_by_stage(x[2], codebooks[0], None))


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("stages", [0, 1, 3])
def test_first_stages_alone(stages: int, backend: str) -> None:
    x, codebooks, biases = torch.randn(2, 31, 6), torch.randn(2, 3, 40, 6), torch.rand(2, 3, 40)
    every = vqcodec_kernels.residual_codes(x, codebooks, biases, backend="torch")
    some = vqcodec_kernels.residual_codes(x, codebooks, biases, stages, backend=backend)
    assert_same_codes(some, every[..., :stages])


def test_threads_do_not_change_a_code() -> None:
    x, codebooks = torch.randn(2000, 16), torch.randn(4, 100, 16)
    alone = native_search.residual_codes(x, codebooks, threads=1)
    assert_same_codes(native_search.residual_codes(x, codebooks, threads=3), alone)


def test_a_defect_names_its_codebook_row() -> None:
    codebooks = torch.randn(3, 10, 4)
    codebooks[2, 7, 1] = torch.inf
    with pytest.raises(
        vqcodec_kernels.InvalidInputError, match="codebooks must be finite, got inf in row 27"
    ):
        vqcodec_kernels.residual_codes(torch.randn(5, 4), codebooks)


@pytest.mark.parametrize("level", LEVELS)
def test_a_residual_that_overflows_takes_code_0_from_there_on(level: str) -> None:
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(43, 5, generator=generator)
    codebooks = torch.randn(4, 60, 5, generator=generator)
    # 3.3e38 less a code of -3e38 is beyond float32; every other code is farther still.
    x[[3, 40]], codebooks[1, :] = 3.3e38, -3e38
    codebooks[1, 7, :] = -2.5e38
    codebooks[0, :] += 1
    codes = native_search.residual_codes(x, codebooks, level=level)
    assert_same_codes(codes, reference.residual_codes(x, codebooks))
    assert_same_codes(codes, stage_by_stage(x, codebooks, None))
    assert codes[3].tolist()[1:] == [7, 0, 0]


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("stages", [0, 1, 5])
def test_values_are_what_the_codes_decode_to(stages: int, dtype: torch.dtype, backend: str) -> None:
    x, codebooks = torch.randn(3, 29, 7).to(dtype), torch.randn(5, 11, 7).to(dtype)
    codes, values = vqcodec_kernels.residual_codes(
        x, codebooks, stages=stages, return_values=True, backend=backend
    )
    expected = torch.zeros(3, 29, 7)
    left = x.double()
    for stage in range(stages):
        vectors = codebooks[stage].float()[codes[..., stage]]
        expected, left = expected + vectors, left - vectors
    assert values.dtype == torch.float32
    assert torch.equal(values, expected)
    # Five sums of numbers below 20, each rounded twice.
    torch.testing.assert_close(x.double() - values, left, rtol=0, atol=1e-5)


def test_values_carry_gradients_to_the_codebooks_alone() -> None:
    x, codebooks = torch.randn(29, 7, requires_grad=True), torch.randn(3, 11, 7, requires_grad=True)
    codes, values = vqcodec_kernels.residual_codes(x, codebooks, return_values=True)
    weights = torch.randn_like(values)
    found = torch.autograd.grad((weights * values).sum(), (x, codebooks), allow_unused=True)
    assert found[0] is None
    expected = torch.zeros(3, 11, 7)
    for stage in range(3):
        expected[stage].index_add_(0, codes[:, stage], weights)
    torch.testing.assert_close(found[1], expected)
