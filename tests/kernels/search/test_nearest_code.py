import math
from fractions import Fraction

import hypothesis
import hypothesis.strategies as st
import pytest
import torch

import vqcodec_kernels
from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search import reference
from vqcodec_kernels.search.level import LEVELS
from vqcodec_kernels.search.testing import HARD_CASES, assert_same_codes, hard_case

# (N, K, D): one code, whole panels and ragged ones, rows that fill no tile, several chunks.
SHAPES = [
    (1, 1, 1),
    (7, 3, 7),
    (65, 47, 48),
    (33, 49, 64),
    (130, 256, 8),
    (40, 1030, 3),
    (9, 700, 255),
    (19, 145, 1024),
]


def definition(x: list[float], codebook: list[list[float]], bias: list[float]) -> int:
    """The canonical nearest code in Python floats, which are float64 and never fused."""
    best, found = math.inf, -1
    for k, code in enumerate(codebook):
        total = 0.0
        for value, center in zip(x, code, strict=True):
            total += (value - center) * (value - center)
        total += bias[k]
        if total < best:
            best, found = total, k
    return found


@pytest.mark.parametrize("name", HARD_CASES)
def test_reference_is_the_definition(name: str) -> None:
    x, codebook, bias = hard_case(name, 23, 31, 5)
    offsets = [0.0] * 31 if bias is None else bias.tolist()
    expected = [definition(row, codebook.tolist(), offsets) for row in x.tolist()]
    assert reference.nearest_code(x, codebook, bias).tolist() == expected


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "N{}-K{}-D{}".format(*shape))
@pytest.mark.parametrize("name", HARD_CASES)
def test_native_codes_and_distances(name: str, shape: tuple[int, int, int], level: str) -> None:
    case = hard_case(name, *shape)
    codes, distance = native_search.nearest_code(*case, return_distance=True, level=level)
    expected, expected_distance = reference.nearest_code(*case, return_distance=True)
    assert_same_codes(codes, expected)
    assert torch.equal(distance, expected_distance)


@pytest.mark.parametrize("level", LEVELS)
def test_settle_rounds_products_before_it_adds_them(level: str) -> None:
    # Pairs of codes with swapped coordinates are equally far by the definition; an addition fused
    # to the second product sees a difference in either direction.
    generator = torch.Generator().manual_seed(1)
    near = torch.rand(400, 2, generator=generator) * 1e-3
    codebook = torch.stack([near, near.flip(1)], dim=1)
    x = torch.rand(400, 1, 1, generator=generator).expand(400, 1, 2)
    differences = x.double() - codebook.double()
    fused = [
        [float(Fraction(p * p) + Fraction(q) ** 2) for p, q in pair]
        for pair in differences.tolist()
    ]
    assert sum(second < first for first, second in fused) > 20
    codes = native_search.nearest_code(x.contiguous(), codebook, level=level)
    assert_same_codes(codes, torch.zeros(400, 1, dtype=torch.int64))
    assert_same_codes(reference.nearest_code(x, codebook), codes)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("codebook_dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["normal", "duplicates", "midpoints", "small"])
def test_half_precision_is_read_exactly(
    name: str, dtype: torch.dtype, codebook_dtype: torch.dtype
) -> None:
    x, codebook, _ = hard_case(name, 57, 130, 20)
    x, codebook = x.to(dtype), codebook.to(codebook_dtype)
    codes = vqcodec_kernels.nearest_code(x, codebook)
    assert_same_codes(codes, reference.nearest_code(x.float(), codebook.float()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_every_half_value_is_read_exactly(dtype: torch.dtype) -> None:
    values = torch.arange(-(1 << 15), 1 << 15).to(torch.int16).view(dtype)
    values = values[torch.isfinite(values)].reshape(-1, 1)
    _, distance = vqcodec_kernels.nearest_code(values, torch.zeros(1, 1), return_distance=True)
    assert torch.equal(distance, values.double().square().squeeze(1).float())


@pytest.mark.parametrize("backend", ["native", "torch"])
def test_batched_codebooks_and_biases(backend: str) -> None:
    x, codebook, bias = torch.randn(2, 3, 17, 6), torch.randn(2, 3, 50, 6), torch.rand(2, 3, 50)
    codes = vqcodec_kernels.nearest_code(x, codebook, bias, backend=backend)
    for i in range(2):
        for j in range(3):
            expected = reference.nearest_code(x[i, j], codebook[i, j], bias[i, j])
            assert_same_codes(codes[i, j], expected)
    shared = vqcodec_kernels.nearest_code(x, codebook[0, 0], bias[0, 0], backend=backend)
    assert_same_codes(shared, reference.nearest_code(x, codebook[0, 0], bias[0, 0]))


def test_rows_in_any_memory_layout() -> None:
    x, codebook = torch.randn(41, 12), torch.randn(77, 12)
    expected = reference.nearest_code(x, codebook)
    strided = torch.full((82, 24), math.nan)[::2, ::2].copy_(x)
    raw = bytearray(b"\0" + x.numpy().tobytes())
    misaligned = torch.frombuffer(raw, dtype=torch.float32, offset=1).reshape(41, 12)
    assert misaligned.data_ptr() % 4
    for rows in (x.T.contiguous().T, strided, misaligned):
        assert_same_codes(vqcodec_kernels.nearest_code(rows, codebook), expected)
    repeated = vqcodec_kernels.nearest_code(x[:1].expand(5, -1), codebook)
    assert_same_codes(repeated, expected[:1].expand(5))
    spread = torch.full((77, 36), math.nan)[:, ::3].copy_(codebook)
    assert_same_codes(vqcodec_kernels.nearest_code(x, spread), expected)


def test_empty_input_gives_empty_codes() -> None:
    codes, distance = vqcodec_kernels.nearest_code(
        torch.empty(3, 0, 5), torch.randn(4, 5), return_distance=True
    )
    assert (codes.shape, codes.dtype) == ((3, 0), torch.int64)
    assert (distance.shape, distance.dtype) == ((3, 0), torch.float32)


@pytest.mark.parametrize("name", ["normal", "near_duplicates"])
def test_threads_do_not_change_a_bit(name: str) -> None:
    case = hard_case(name, 3001, 300, 40)
    alone = native_search.nearest_code(*case, return_distance=True, threads=1)
    for threads in (2, 5):
        together = native_search.nearest_code(*case, return_distance=True, threads=threads)
        assert torch.equal(alone[0], together[0])
        assert torch.equal(alone[1], together[1])


@pytest.mark.parametrize("level", LEVELS)
def test_flushing_subnormals_does_not_change_a_code(level: str) -> None:
    case = hard_case("subnormal", 50, 60, 9)
    expected = reference.nearest_code(*case)
    assert torch.set_flush_denormal(True)
    try:
        codes = native_search.nearest_code(*case, threads=1, level=level)
    finally:
        torch.set_flush_denormal(False)
    assert_same_codes(codes, expected)


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("name", ["normal", "near_duplicates", "biased", "shifted"])
def test_fast_search_is_within_its_bound(name: str, backend: str) -> None:
    x, codebook, bias = hard_case(name, 500, 200, 24)
    codes = vqcodec_kernels.nearest_code_fast(x, codebook, bias, backend=backend)
    offsets = torch.zeros(200) if bias is None else bias
    scores = torch.cdist(x.double(), codebook.double()).square() + offsets.double()
    excess = scores.gather(1, codes.unsqueeze(1)).squeeze(1) - scores.min(1).values
    longest = codebook.double().norm(dim=1).max()
    size = x.double().norm(dim=1) * longest + longest**2 + offsets.abs().max()
    assert (excess <= 24 * 2.0**-22 * size).all()


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(
    rows=st.integers(1, 40),
    size=st.integers(1, 200),
    dim=st.integers(1, 40),
    grid=st.integers(1, 6),
    level=st.sampled_from(LEVELS),
    seed=st.integers(0, 2**31),
)
def test_ties_on_a_grid_go_to_the_lowest_index(
    rows: int, size: int, dim: int, grid: int, level: str, seed: int
) -> None:
    # Small integers: every distance is exact, and most rows have several nearest codes.
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(-grid, grid + 1, (rows, dim), generator=generator)
    codebook = torch.randint(-grid, grid + 1, (size, dim), generator=generator)
    distances = (x.unsqueeze(1) - codebook).square().sum(-1)
    expected = (distances == distances.min(1, keepdim=True).values).int().argmax(1)
    codes = native_search.nearest_code(x.float(), codebook.float(), level=level)
    assert_same_codes(codes, expected)
