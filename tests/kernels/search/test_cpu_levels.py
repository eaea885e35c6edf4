"""Every instruction set finds the same codes, whatever its filter makes of the numbers."""

import subprocess
import sys

import hypothesis
import hypothesis.strategies as st
import pytest
import torch

from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search import reference
from vqcodec_kernels.search.level import LEVELS, default_level
from vqcodec_kernels.search.testing import HARD_CASES, SearchCase, assert_same_codes, hard_case


def near_ties(rows: int, size: int, dim: int, gap: float, seed: int) -> SearchCase:
    """Rows halfway between codes, and each code several times, a relative `gap` apart."""
    generator = torch.Generator().manual_seed(seed)
    x, codebook, _ = hard_case("midpoints", rows, size, dim, seed=seed)
    family = torch.randint(max(1, size // 4), (size,), generator=generator)
    return SearchCase(
        x, codebook[family] * (1 + gap * torch.randn(size, 1, generator=generator)), None
    )


def assert_levels_are_right(case: SearchCase) -> None:
    expected = reference.nearest_code(*case)
    for level in LEVELS:
        assert_same_codes(native_search.nearest_code(*case, level=level), expected)


@hypothesis.settings(deadline=None, max_examples=120)
@hypothesis.given(
    name=st.sampled_from(HARD_CASES),
    rows=st.integers(1, 70),
    size=st.integers(1, 210),
    dim=st.integers(1, 300),
    exponent=st.integers(-30, 30),
    offset=st.sampled_from([0.0, 0.0, 1e3, -1e6]),
    biased=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_any_size_scale_and_offset(
    name: str,
    rows: int,
    size: int,
    dim: int,
    exponent: int,
    offset: float,
    biased: bool,
    seed: int,
) -> None:
    x, codebook, bias = hard_case(name, rows, size, dim, seed=seed)
    scale = 1.0 if name in ("subnormal", "overflowing") else 10.0**exponent
    generator = torch.Generator().manual_seed(seed)
    if biased:
        bias = torch.randn(size, generator=generator) * min(scale * scale, 1e30)
    assert_levels_are_right(SearchCase((x + offset) * scale, (codebook + offset) * scale, bias))


@hypothesis.settings(deadline=None, max_examples=250)
@hypothesis.given(
    rows=st.integers(1, 50),
    size=st.integers(1, 150),
    dim=st.integers(1, 140),
    exponent=st.integers(-8, -2),
    seed=st.integers(0, 2**31),
)
def test_near_ties(rows: int, size: int, dim: int, exponent: int, seed: int) -> None:
    assert_levels_are_right(near_ties(rows, size, dim, 10.0**exponent, seed))


@pytest.mark.parametrize("dim", [*range(1, 34), 47, 63, 64, 65, 95, 97, 127, 130, 257, 300])
def test_every_dimension_counts(dim: int) -> None:
    # Codes differ in one coordinate, by little: a filter that drops it, or takes it twice, would
    # rule out the nearest.
    generator = torch.Generator().manual_seed(dim)
    code = torch.randn(dim, generator=generator)
    codebook = code + 1e-2 * torch.cat([torch.eye(dim), -torch.eye(dim), torch.zeros(1, dim)])
    chosen = torch.randperm(len(codebook), generator=generator)
    for level in LEVELS:
        found = native_search.nearest_code(codebook[chosen].contiguous(), codebook, level=level)
        assert_same_codes(found, chosen)


@pytest.mark.parametrize("shape", [(530, 97, 24), (300, 1100, 12), (290, 2300, 70)])
def test_clusters_that_coarse_scores_cannot_tell_apart(shape: tuple[int, int, int]) -> None:
    # Far from the mean of all codes, near each other: very many candidates for each row.
    rows, size, dim = shape
    generator = torch.Generator().manual_seed(5)
    side = torch.randint(2, (rows + size, 1), generator=generator) * 2000.0 - 1000
    points = side + torch.randn(rows + size, dim, generator=generator)
    # A few rows that no bound holds for, among others that are told apart at once.
    points[:rows:50] = 3e38
    points[1:rows:7] = points[rows : rows + len(points[1:rows:7])]
    assert_levels_are_right(SearchCase(points[:rows].clone(), points[rows:].clone(), None))


@pytest.mark.parametrize("level", LEVELS)
def test_batches_at_every_level(level: str) -> None:
    x, codebook, bias = torch.randn(3, 270, 37), torch.randn(3, 83, 37), torch.rand(3, 83) * 9
    codes = native_search.nearest_code(x, codebook, bias, level=level)
    assert_same_codes(codes, reference.nearest_code(x, codebook, bias))


@pytest.mark.skipif("amx" not in LEVELS, reason="this processor has no AMX")
@pytest.mark.parametrize(
    "shape", [(1 << 20, 300, 9), (1 << 19, 500, 24), (1 << 17, 1030, 64), (1 << 14, 1500, 200)]
)
def test_a_million_rows_by_amx_and_by_avx512(shape: tuple[int, int, int]) -> None:
    rows, size, dim = shape
    generator = torch.Generator().manual_seed(dim)
    x = torch.randn(rows, dim, generator=generator)
    codebook = 0.8 * x[:size] + 0.2 * torch.randn(size, dim, generator=generator)
    codes = native_search.nearest_code(x, codebook, level="amx")
    assert_same_codes(codes, native_search.nearest_code(x, codebook, level="avx512"))


def test_the_default_level_suits_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VQCODEC_CPU_LEVEL", raising=False)
    assert default_level(1 << 16, 1024, 64) == LEVELS[0]
    levels = [level for level in LEVELS if level != "amx"]
    assert default_level(1, 1024, 64) == levels[0]
    monkeypatch.setenv("VQCODEC_CPU_LEVEL", "portable")
    assert default_level(1 << 16, 1024, 64) == "portable"


def test_threads_survive_forks_and_do_not_keep_the_process() -> None:
    script = """
import os, threading, torch
from vqcodec_kernels.search import native as native_search
x, codebook = torch.randn(20000, 16), torch.randn(300, 16)
expected = native_search.nearest_code(x, codebook, threads=1)
def same():
    return torch.equal(native_search.nearest_code(x, codebook, threads=3), expected)
assert same()
busy = [threading.Thread(target=lambda: [same() for _ in range(10)]) for _ in range(2)]
for thread in busy:
    thread.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        os._exit(0 if same() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert same()
for thread in busy:
    thread.join()
"""
    command = [sys.executable, "-W", "ignore", "-c", script]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0
