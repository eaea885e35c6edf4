"""Inputs that nearest-code kernels get wrong, and a comparison that shows where they did.

For tests and benchmarks of this package and of packages built on it.
"""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "AWKWARD_CODEBOOKS",
    "HARD_CASES",
    "SearchCase",
    "assert_same_codes",
    "awkward_case",
    "hard_case",
]


class SearchCase(NamedTuple):
    """Arguments of `nearest_code`."""

    x: Tensor
    codebook: Tensor
    bias: Tensor | None


HARD_CASES = (
    "normal",
    "duplicates",
    "near_duplicates",
    "on_codes",
    "midpoints",
    "shifted",
    "large",
    "small",
    "subnormal",
    "overflowing",
    "zero",
    "biased",
)


def hard_case(name: str, rows: int, size: int, dim: int, *, seed: int = 0) -> SearchCase:
    """Make float32 rows (rows, dim) and a codebook (size, dim) of one kind of HARD_CASES.

    Most hold ties or pairs of codes that float32 cannot tell apart; the rest leave the range in
    which float32 squares and products are exact enough, or exist at all.

    >>> x, codebook, bias = hard_case("on_codes", rows=5, size=3, dim=2)
    >>> (x[:, None] == codebook).all(2).any(1)
    tensor([True, True, True, True, True])
    """
    generator = torch.Generator("cpu").manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float32, device="cpu")

    def numbers(below: int, *shape: int) -> Tensor:
        return torch.randint(below, shape, generator=generator, dtype=torch.int64, device="cpu")

    x, codebook, bias = normal(rows, dim), normal(size, dim), None
    repeated = codebook[numbers(max(1, size // 3), size)]
    chosen = numbers(size, 2, rows)
    if name == "duplicates":
        codebook = repeated
    elif name == "near_duplicates":
        codebook = repeated * (1 + normal(size, 1) * 1e-7)
    elif name == "on_codes":
        x = codebook[chosen[0]].clone()
    elif name == "midpoints":
        x = (codebook[chosen[0]] + codebook[chosen[1]]) / 2
    elif name == "shifted":
        x, codebook = x * 1e-2 + 7, codebook * 1e-2 + 7
    elif name in _SCALES:
        x, codebook = x * _SCALES[name], codebook * _SCALES[name]
    elif name == "zero":
        x[::2], codebook[1::2] = 0, 0
    elif name == "biased":
        bias = normal(size).abs() * dim
    elif name != "normal":
        raise ValueError(f"name must be one of {HARD_CASES}, got {name!r}")
    return SearchCase(x, codebook, bias)


_SCALES = {"large": 1e4, "small": 1e-4, "subnormal": 1e-39, "overflowing": 3e19}


AWKWARD_CODEBOOKS = (
    "all equal",
    "nearly equal",
    "half dead",
    "half nearly dead",
    "families of eight",
    "one far away",
    "one a thousand times longer",
    "one bias of 1e30",
    "half the biases 1e30",
    "half forbidden",
)


def awkward_case(name: str, rows: int, size: int, dim: int, *, seed: int = 0) -> SearchCase:
    """Make normal rows (rows, dim) and a codebook (size, dim) of one kind of AWKWARD_CODEBOOKS.

    What training leaves when it goes wrong, and what users make of a bias: most rows are easy to
    tell apart, but a search with one bound for all codes would not see it.

    >>> awkward_case("all equal", rows=5, size=3, dim=2).codebook.unique(dim=0).shape
    torch.Size([1, 2])
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    x, codebook = (torch.randn(n, dim, generator=generator) for n in (rows, size))
    noise = 1e-6 * torch.randn(size, dim, generator=generator)
    bias, one = None, size // 3
    half = torch.randperm(size, generator=generator)[: size // 2]
    if name == "all equal":
        codebook = codebook[:1].expand(size, dim).clone()
    elif name == "nearly equal":
        codebook = codebook[:1] + noise
    elif name in ("half dead", "half nearly dead"):
        codebook[half] = noise[half] * (name == "half nearly dead")
    elif name == "families of eight":
        codebook = codebook[torch.arange(size) * 5 % max(1, size // 8)] + noise
    elif name == "one far away":
        codebook[one] += 1e6
    elif name == "one a thousand times longer":
        codebook[one] *= 1000
    elif name in ("one bias of 1e30", "half the biases 1e30", "half forbidden"):
        bias = torch.zeros(size)
        chosen = torch.tensor([one]) if name == "one bias of 1e30" else half
        bias[chosen] = torch.inf if name == "half forbidden" else 1e30
    else:
        raise ValueError(f"name must be one of {AWKWARD_CODEBOOKS}, got {name!r}")
    return SearchCase(x, codebook, bias)


def assert_same_codes(found: Tensor, expected: Tensor) -> None:
    """Demand equal integers; the message counts the differences and shows the first."""
    assert found.dtype == torch.int64, f"codes are {found.dtype}"
    assert found.shape == expected.shape, f"codes are {found.shape}, not {expected.shape}"
    different = (found.cpu() != expected.cpu()).nonzero()
    if len(different):
        first = tuple(different[0].tolist())
        raise AssertionError(
            f"{len(different)} of {found.numel()} codes differ, the first at {first}: "
            f"{found[first].item()} instead of {expected[first].item()}"
        )
