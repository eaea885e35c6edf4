"""The shapes of everyday use under pytest-benchmark: `pytest bench --benchmark-only`."""

from typing import Any

import numpy as np
import pytest
import torch

import vqcodec_kernels
from vqcodec_kernels.motion.ops import find_motion, warp_blocks
from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search import reference
from vqcodec_kernels.search.level import LEVELS

SHAPES = [(8192, 256, 48), (65536, 256, 8), (4096, 1024, 64), (1024, 1024, 256)]


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "N{}-K{}-D{}".format(*shape))
@pytest.mark.parametrize("level", LEVELS)
def test_nearest_code(benchmark: Any, shape: tuple[int, int, int], level: str) -> None:
    x, codebook = torch.randn(shape[0], shape[2]), torch.randn(shape[1], shape[2])
    codes = benchmark(native_search.nearest_code, x, codebook, level=level)
    assert torch.equal(codes[:500], reference.nearest_code(x[:500], codebook))


def test_call_overhead(benchmark: Any) -> None:
    x, codebook = torch.randn(1, 48), torch.randn(1, 48)
    assert benchmark(vqcodec_kernels.nearest_code, x, codebook).item() == 0


@pytest.mark.parametrize("rows", [1024, 8192])
def test_residual_codes(benchmark: Any, rows: int) -> None:
    x, codebooks = torch.randn(rows, 48), torch.randn(10, 256, 48) * 0.5
    codes = benchmark(vqcodec_kernels.residual_codes, x, codebooks)
    assert torch.equal(codes[:200], reference.residual_codes(x[:200], codebooks))


@pytest.mark.parametrize("rows", [1024])
def test_beam_codes(benchmark: Any, rows: int) -> None:
    x, codebooks = torch.randn(rows, 48), torch.randn(10, 256, 48) * 0.5
    _, errors = benchmark(vqcodec_kernels.beam_codes, x, codebooks, beams=4)
    _, expected = reference.beam_codes(x, codebooks, beams=4)
    torch.testing.assert_close(errors.mean(), expected.mean(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("rows", [8192])
def test_quantize_vectors(benchmark: Any, rows: int) -> None:
    x, codebook = torch.randn(rows, 48), torch.randn(256, 48)
    result = benchmark(vqcodec_kernels.quantize_vectors, x, codebook)
    assert result.counts.sum().item() == rows


@pytest.mark.parametrize("rows", [8192])
def test_code_statistics(benchmark: Any, rows: int) -> None:
    x, codes = torch.randn(rows, 48), torch.randint(256, (rows,))
    _, sums = benchmark(vqcodec_kernels.code_statistics, x, codes, 256)
    assert torch.equal(sums, reference.code_statistics(x, codes, 256)[1])


def a_frame_and_the_next() -> tuple[Any, Any]:
    """320 x 192 pixels of smoothed noise, and the same moved by a few."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (194, 322)).astype(np.float64)
    parts = [noise[y : y + 192, x : x + 320] for y in range(3) for x in range(3)]
    reference = np.mean(parts, 0).astype(np.uint8)
    return np.roll(reference, (3, -5), (0, 1)), reference


def test_find_motion(benchmark: Any) -> None:
    frame, reference = a_frame_and_the_next()
    motion, _ = benchmark(find_motion, frame, reference, price=400)
    part = frame[:32, :48].copy(), reference[:32, :48].copy()
    found, wanted = (find_motion(*part, price=400, backend=b) for b in ("native", "numpy"))
    assert np.array_equal(found[0], wanted[0])
    assert motion[5, 5].tolist() == [-6, 10]


def test_warp_blocks(benchmark: Any) -> None:
    frame, reference = a_frame_and_the_next()
    motion, _ = find_motion(frame, reference, price=400)
    moving = np.ones(motion.shape[:2], np.uint8)
    warped = benchmark(warp_blocks, reference, moving, motion)
    assert np.array_equal(warped, warp_blocks(reference, moving, motion, backend="numpy"))
