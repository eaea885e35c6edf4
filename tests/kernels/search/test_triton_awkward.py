"""Awkward codebooks in Triton: the codes of the definition, and few rows for the second pass.

On a GPU, or under the interpreter where there is none: decided before triton is first imported.
"""

import os

import pytest
import torch
from torch import Tensor

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="triton is not installed")

from vqcodec_kernels.search import reference
from vqcodec_kernels.search.testing import AWKWARD_CODEBOOKS, awkward_case
from vqcodec_kernels.search.triton import nearest as triton_nearest
from vqcodec_kernels.search.triton import residual as triton_residual
from vqcodec_kernels.search.triton.certificate import Doubtful
from vqcodec_kernels.search.triton.rows import RoundedRows

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# Near copies are candidates of each row that is near them; see bench/README.md.
SETTLED = {"half nearly dead": 0.8, "families of eight": 1.0}


def nearest(x: Tensor, codebook: Tensor, bias: Tensor | None) -> Tensor:
    found = triton_nearest.nearest_code(x.to(DEVICE), codebook.to(DEVICE), to_device(bias))
    assert isinstance(found, Tensor)
    return found.cpu()


def to_device(values: Tensor | None) -> Tensor | None:
    return None if values is None else values.to(DEVICE)


@pytest.fixture
def doubts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each search leaves to the second pass."""
    seen: list[int] = []
    settle = triton_nearest._Search._settle

    def counting(
        self: triton_nearest._Search, part: slice, rounded: RoundedRows | None, left: Doubtful
    ) -> None:
        seen.append(int(left.counters.sum()))
        settle(self, part, rounded, left)

    monkeypatch.setattr(triton_nearest._Search, "_settle", counting)
    return seen


@pytest.mark.parametrize("name", AWKWARD_CODEBOOKS)
def test_few_rows_are_settled(name: str, doubts: list[int]) -> None:
    x, codebook, bias = awkward_case(name, 250, 96, 24)
    found = nearest(x, codebook, bias)
    assert torch.equal(found, reference.nearest_code(x, codebook, bias))
    assert sum(doubts) <= SETTLED.get(name, 0.06) * len(x)


@pytest.mark.parametrize("name", AWKWARD_CODEBOOKS)
def test_rows_on_awkward_codes(name: str) -> None:
    x, codebook, bias = awkward_case(name, 70, 61, 8)
    x[:61] = codebook
    x[61:] = (codebook[:9] + codebook[20:29]) / 2
    codes, distance = triton_nearest.nearest_code(
        x.to(DEVICE), codebook.to(DEVICE), to_device(bias), return_distance=True
    )
    expected, expected_distance = reference.nearest_code(x, codebook, bias, return_distance=True)
    assert torch.equal(codes.cpu(), expected)
    assert torch.equal(distance.cpu(), expected_distance)
    fast = triton_nearest.nearest_code_fast(x.to(DEVICE), codebook.to(DEVICE), to_device(bias))
    assert bias is None or bias[fast.cpu()].isfinite().all()


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_forbidden_codes_of_stages_even_where_residuals_overflow() -> None:
    generator = torch.Generator().manual_seed(5)
    x, books = (torch.randn(*n, 8, generator=generator) for n in ((30,), (3, 40)))
    x[7], books[0] = 3.3e38, -3e38 * torch.rand(40, 8, generator=generator)
    biases = torch.zeros(3, 40)
    biases[:, :3] = torch.inf
    biases[1, 3:30] = torch.inf
    found = triton_residual.residual_codes(x.to(DEVICE), books.to(DEVICE), biases.to(DEVICE))
    assert found[7, 1:].tolist() == [30, 3]
    assert torch.equal(found.cpu(), reference.residual_codes(x, books, biases))


@pytest.mark.parametrize("far", [6.0, 50.0, 1e4])
def test_far_codes_that_rows_choose(far: float) -> None:
    generator = torch.Generator().manual_seed(7)
    codebook = torch.randn(90, 6, generator=generator)
    codebook[::15] *= far
    x = torch.randn(120, 6, generator=generator)
    x[::2] = codebook[::15].repeat(10, 1) * torch.rand(60, 1, generator=generator)
    bias = torch.rand(90, generator=generator) * 3
    bias[30] = -far * far
    found = nearest(x, codebook, bias)
    assert torch.equal(found, reference.nearest_code(x, codebook, bias))
