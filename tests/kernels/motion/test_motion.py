"""Motion of blocks: the C++ gives what the plain reference says, and both what the law says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vqcodec_kernels.errors import BackendError, InvalidInputError
from vqcodec_kernels.motion.ops import MOST_MOTION, find_motion, warp_blocks

Plane = NDArray[np.uint8]


def textured(seed: int, shape: tuple[int, int]) -> Plane:
    """Noise that was smoothed, so that there is something to find."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (shape[0] + 2, shape[1] + 2)).astype(np.float64)
    parts = [noise[y : y + shape[0], x : x + shape[1]] for y in range(3) for x in range(3)]
    return np.asarray(np.mean(parts, 0), np.uint8)


@pytest.mark.parametrize("price", [0, 16, 3000])
@pytest.mark.parametrize("shape", [(16, 16), (32, 48)])
def test_native_is_the_reference(shape: tuple[int, int], price: int) -> None:
    reference = textured(1, shape)
    frame = np.roll(reference, (3, -5), (0, 1))
    frame[:8] = textured(2, shape)[:8]
    found = find_motion(frame, reference, price=price)
    wanted = find_motion(frame, reference, price=price, backend="numpy")
    assert [part.dtype for part in found] == [np.int8, np.int32]
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


def test_ties_go_to_the_first() -> None:
    flat = np.full((32, 32), 7, np.uint8)
    for backend in ("native", "numpy"):
        motion, errors = find_motion(flat, flat, price=0, backend=backend)
        assert not motion.any()
        assert not errors.any()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_warping_is_the_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 256, (48, 32)).astype(np.uint8)
    moving = rng.integers(0, 2, (3, 2)).astype(np.uint8)
    motion = rng.integers(-MOST_MOTION, MOST_MOTION + 1, (3, 2, 2)).astype(np.int8)
    found = warp_blocks(reference, moving, motion)
    np.testing.assert_array_equal(found, warp_blocks(reference, moving, motion, backend="numpy"))
    still = np.repeat(np.repeat(moving == 0, 16, 0), 16, 1)
    np.testing.assert_array_equal(found[still], reference[still])


def test_the_error_is_that_of_the_warped_block() -> None:
    reference, frame = textured(3, (48, 64)), textured(4, (48, 64))
    motion, errors = find_motion(frame, reference, price=5)
    warped = warp_blocks(reference, np.ones((3, 4), np.uint8), motion)
    differences = np.abs(warped.astype(int) - frame).reshape(3, 16, 4, 16).sum((1, 3))
    np.testing.assert_array_equal(errors, differences)


def test_half_a_pixel_is_found() -> None:
    fine = textured(5, (64, 160)).astype(int)
    reference = fine[:, 0::2].astype(np.uint8)
    frame = ((fine[:, 0::2] + np.roll(fine, -2, 1)[:, 0::2] + 1) >> 1).astype(np.uint8)
    motion, errors = find_motion(frame, reference, price=1)
    assert motion[1, 1].tolist() == [0, 1]
    assert errors[1, 1] == 0


@pytest.mark.parametrize(
    "frame",
    [np.zeros((16, 17), np.uint8), np.zeros((0, 16), np.uint8), np.zeros((16, 16), np.int16)],
)
def test_other_planes_are_refused(frame: Plane) -> None:
    with pytest.raises(InvalidInputError):
        find_motion(frame, frame, price=1)


def test_what_is_out_of_range_is_refused() -> None:
    plane, moving = np.zeros((16, 16), np.uint8), np.ones((1, 1), np.uint8)
    with pytest.raises(InvalidInputError, match="32"):
        warp_blocks(plane, moving, np.full((1, 1, 2), 32, np.int8))
    with pytest.raises(InvalidInputError, match="price"):
        find_motion(plane, plane, price=-1)
    with pytest.raises(InvalidInputError, match="its reference"):
        find_motion(plane, np.zeros((32, 16), np.uint8), price=1)
    with pytest.raises(BackendError, match="cuda"):
        find_motion(plane, plane, price=1, backend="cuda")
