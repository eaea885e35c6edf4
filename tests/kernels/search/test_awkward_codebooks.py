"""Codebooks that one bound for all codes would spoil: outliers, copies, crowds, forbidden codes.

The codes are still those of the definition, and what a search looks at is counted: each group of
codes has a bound of its own, and copies and forbidden codes are in none.
"""

import pytest
import torch
from torch import Tensor

import vqcodec_kernels
from vqcodec_kernels import InvalidInputError, _search
from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search import reference
from vqcodec_kernels.search.level import LEVELS
from vqcodec_kernels.search.testing import (
    AWKWARD_CODEBOOKS,
    SearchCase,
    assert_same_codes,
    awkward_case,
)

BACKENDS = ["torch", "native"]


def groups(codebook: Tensor, bias: Tensor | None = None) -> list[list[int]]:
    """The codes that a search looks at, largest group first."""
    address = 0 if bias is None else bias.data_ptr()
    found = _search.groups(codebook.data_ptr(), len(codebook), codebook.shape[1], address)
    return sorted((sorted(group) for group in found), key=len, reverse=True)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", [(70, 131, 24), (65, 300, 3), (300, 1100, 65)])
@pytest.mark.parametrize("name", AWKWARD_CODEBOOKS)
def test_codes_are_right_at_every_level(name: str, shape: tuple[int, int, int], level: str) -> None:
    x, codebook, bias = awkward_case(name, *shape)
    # Some rows on codes, the outliers and the dead among them, and some halfway between.
    x[::3] = codebook[torch.arange(len(x[::3])) * 37 % len(codebook)]
    x[1::9] = (codebook[: len(x[1::9])] + codebook[-len(x[1::9]) :]) / 2
    case = SearchCase(x, codebook, bias)
    codes, distance = native_search.nearest_code(*case, return_distance=True, level=level)
    expected, expected_distance = reference.nearest_code(*case, return_distance=True)
    assert_same_codes(codes, expected)
    assert torch.equal(distance, expected_distance)


@pytest.mark.parametrize("name", AWKWARD_CODEBOOKS)
def test_stages_and_vectors_of_awkward_codebooks(name: str) -> None:
    x, codebook, bias = awkward_case(name, 120, 90, 7)
    books = torch.stack([codebook, 0.3 * codebook.flip(0)])
    biases = None if bias is None else torch.stack([bias, bias])
    assert_same_codes(
        native_search.residual_codes(x, books, biases), reference.residual_codes(x, books, biases)
    )
    found = native_search.quantize_vectors(x, codebook, bias)
    expected = reference.quantize_vectors(x, codebook, bias)
    for got, want in zip(found, expected, strict=True):
        assert torch.equal(got, want)


def test_an_ordinary_codebook_is_one_group() -> None:
    generator = torch.Generator().manual_seed(1)
    for size, dim in ((1, 1), (48, 48), (300, 2), (1024, 8), (1024, 64), (4096, 16)):
        codebook = torch.randn(size, dim, generator=generator)
        bias = torch.randn(size, generator=generator).abs() * dim
        for offset in (0.0, 1e3):
            assert groups(codebook + offset) == [list(range(size))]
            assert groups(codebook + offset, bias) == [list(range(size))]


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("all equal", [1]),
        ("nearly equal", [512]),
        ("half dead", [257]),
        ("half nearly dead", [256, 256]),
        ("one far away", [511, 1]),
        ("one a thousand times longer", [511, 1]),
        ("one bias of 1e30", [511, 1]),
        ("half the biases 1e30", [256, 256]),
        ("half forbidden", [256]),
    ],
)
def test_what_a_search_looks_at(name: str, sizes: list[int]) -> None:
    _, codebook, bias = awkward_case(name, 1, 512, 24)
    assert [len(group) for group in groups(codebook, bias)] == sizes


def test_a_copy_is_searched_only_where_it_may_win() -> None:
    codebook = torch.randn(40, 5, generator=torch.Generator().manual_seed(2))
    codebook[30:] = codebook[3]
    bias = torch.zeros(40)
    bias[30:] = torch.tensor([5.0, 4.0, 4.0, 6.0, torch.inf, 3.0, 3.0, 7.0, 1.0, 2.0])
    bias[3] = 5.0
    assert groups(codebook, bias) == [[*range(30), 31, 35, 38]]
    # A bias that rounding absorbs makes a tie, which the first code wins, not the cheapest.
    x = torch.full((1, 5), 1e18)
    assert native_search.nearest_code(x, codebook[[3, 30]], torch.tensor([1.0, 0.0])).item() == 0
    assert reference.nearest_code(x, codebook[[3, 30]], torch.tensor([1.0, 0.0])).item() == 0


def test_positive_and_negative_zero_are_copies() -> None:
    assert groups(torch.tensor([[0.0, 1.0], [-0.0, 1.0], [0.0, -0.0], [-0.0, 0.0]])) == [[0, 2]]


def without_forbidden(x: Tensor, codebook: Tensor, bias: Tensor) -> Tensor:
    allowed = bias.isfinite().nonzero().squeeze(1)
    return allowed[reference.nearest_code(x, codebook[allowed], bias[allowed])]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("scale", [1.0, 3e19, 1e38])
def test_a_forbidden_code_is_never_returned(backend: str, scale: float) -> None:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(200, 9, generator=generator).clamp(-3, 3) * scale
    codebook = torch.randn(61, 9, generator=generator).clamp(-3, 3) * scale
    bias = torch.rand(61, generator=generator)
    bias[torch.randperm(61, generator=generator)[:40]] = torch.inf
    bias[0] = torch.inf
    expected = without_forbidden(x, codebook, bias)
    assert_same_codes(vqcodec_kernels.nearest_code(x, codebook, bias, backend=backend), expected)
    found = vqcodec_kernels.quantize_vectors(x, codebook, bias, backend=backend)
    assert_same_codes(found.codes, expected)
    fast = vqcodec_kernels.nearest_code_fast(x, codebook, bias, backend=backend)
    assert bias[fast].isfinite().all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_forbidden_codes_of_batched_codebooks(backend: str, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(4)
    x, codebook = (torch.randn(2, n, 6, generator=generator).to(dtype) for n in (50, 20))
    bias = torch.rand(2, 20, generator=generator).to(dtype)
    bias[0, 1:], bias[1, :19] = torch.inf, torch.inf
    codes = vqcodec_kernels.nearest_code(x, codebook, bias, backend=backend)
    assert codes[0].eq(0).all()
    assert codes[1].eq(19).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_forbidden_codes_of_stages_even_where_residuals_overflow(backend: str) -> None:
    generator = torch.Generator().manual_seed(5)
    x, books = (torch.randn(*n, 4, generator=generator) for n in ((30,), (3, 12)))
    x[7], books[0] = 3.3e38, -3e38 * torch.rand(12, 4, generator=generator)
    biases = torch.zeros(3, 12)
    biases[:, :3] = torch.inf
    biases[1, 3] = torch.inf
    codes = vqcodec_kernels.residual_codes(x, books, biases, backend=backend)
    assert biases.gather(1, codes.T).isfinite().all()
    assert codes[7, 1:].tolist() == [4, 3]
    assert_same_codes(codes, reference.residual_codes(x, books, biases))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("beams", [1, 4, 64])
def test_beams_begin_with_no_forbidden_code(backend: str, beams: int) -> None:
    generator = torch.Generator().manual_seed(6)
    x, books = (torch.randn(*n, 5, generator=generator) for n in ((40,), (3, 9)))
    biases = torch.rand(3, 9, generator=generator)
    biases[:, ::2], biases[1, 1:] = torch.inf, torch.inf
    biases[1, 5] = 2.0
    x[3] = 1e38
    codes, _ = vqcodec_kernels.beam_codes(x, books, biases, beams=beams, backend=backend)
    assert biases.gather(1, codes.T).isfinite().all()
    allowed = torch.tensor([1, 3, 5, 7])
    expected, _ = vqcodec_kernels.beam_codes(
        x[4:], books[:, allowed], biases[:, allowed].nan_to_num(posinf=1e9), beams=beams,
        backend="torch",
    )  # fmt: skip
    assert torch.equal(codes[4:], allowed[expected])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("bias", "shown"),
    [
        ([0.0, torch.nan, 1.0], r"bias must be finite or \+inf, got nan at \(1,\)"),
        ([torch.inf, -torch.inf, 1.0], r"bias must be finite or \+inf, got -inf at \(1,\)"),
        ([torch.inf] * 3, r"bias must leave a code to choose, got \+inf for all"),
        ([[0.0] * 3, [torch.inf] * 3], r"got \+inf for all of codebook \(1,\)"),
    ],
)
def test_biases_that_are_refused(bias: list[float], shown: str, backend: str) -> None:
    values = torch.tensor(bias)
    x, codebook = torch.randn(*values.shape[:-1], 5, 2), torch.randn(*values.shape, 2)
    for operator in (
        vqcodec_kernels.nearest_code,
        vqcodec_kernels.nearest_code_fast,
        vqcodec_kernels.quantize_vectors,
    ):
        with pytest.raises(InvalidInputError, match=shown):
            operator(x, codebook, values, backend=backend)


def test_stages_without_an_allowed_code_are_refused() -> None:
    biases = torch.tensor([[0.0, 1.0], [torch.inf, torch.inf]])
    x, books = torch.randn(4, 3), torch.randn(2, 2, 3)
    with pytest.raises(InvalidInputError, match=r"got \+inf for all of codebook \(1,\)"):
        vqcodec_kernels.residual_codes(x, books, biases)
    with pytest.raises(InvalidInputError, match=r"got \+inf for all of codebook \(1,\)"):
        vqcodec_kernels.beam_codes(x, books, biases, beams=2)
