"""Where the blocks of a frame come from, and the frame that they make: integers alone.

A frame is uint8 (H, W), whole blocks of 16 x 16 along both axes. A motion is how far down and to
the right of a block its content lies in the reference, in halves of a pixel, -31 to 31.
"""

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.errors import BackendError, InvalidInputError
from vqcodec_kernels.motion import reference as plain

__all__ = ["BLOCK", "MOST_MOTION", "find_motion", "warp_blocks"]

BLOCK = 16
MOST_MOTION = 31
# A price beyond it does not change what is chosen; the sums stay far within 64 bits.
_MOST_PRICE = 2**20

Plane = NDArray[np.uint8]
Motion = NDArray[np.int8]


def find_motion(
    frame: Plane, reference: Plane, *, price: int, backend: str | None = None
) -> tuple[Motion, NDArray[np.int32]]:
    """Find for each block where it comes from, at the least 16 * error + price * bits.

    Full pixels up to 15 away are all tried, then the eight halves around the best one. The motion
    of the block to the left and of that above is cheap.

    Args:
        frame, reference: uint8 (H, W), whole blocks.
        price: of a bit, in sixteenths of a step of a pixel, 0 to 2^20.
        backend: "native", the default, or "numpy", slow.

    Returns:
        motion int8 (H / 16, W / 16, 2), down and right, and the sums of absolute differences there,
        int32 (H / 16, W / 16).

    Raises:
        InvalidInputError: other planes, or a price out of range. BackendError.

    >>> y, x = np.mgrid[:48, :64]
    >>> reference = ((y * y + 7 * x * x // 9 + y * x) % 251).astype(np.uint8)
    >>> frame = np.roll(reference, (3, -2), (0, 1))
    >>> find_motion(frame, reference, price=16)[0][1, 1].tolist()
    [-6, 4]
    """
    _check_plane(frame, "frame")
    _check_plane(reference, "reference")
    if frame.shape != reference.shape:
        raise InvalidInputError(f"the frame is {frame.shape}, its reference {reference.shape}")
    if not 0 <= price <= _MOST_PRICE:
        raise InvalidInputError(f"price must be 0 to 2^20, got {price}")
    found: tuple[Motion, NDArray[np.int32]] = _backend(backend).find_motion(
        np.ascontiguousarray(frame), np.ascontiguousarray(reference), price
    )
    return found


def warp_blocks(
    reference: Plane, moving: NDArray[np.uint8], motion: Motion, *, backend: str | None = None
) -> Plane:
    """Make a frame of blocks of a reference; where nothing moves it stays as it is.

    Between pixels stand the means of two or four of them, halves rounded up; beyond the border its
    pixels go on.

    Args:
        reference: uint8 (H, W), whole blocks.
        moving: uint8 (H / 16, W / 16), 0 for a block that stays.
        motion: int8 (H / 16, W / 16, 2), down and right.
        backend: as for `find_motion`.

    Raises:
        InvalidInputError: other shapes or types, or a motion beyond 31. BackendError.

    >>> reference = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> warp_blocks(reference, np.ones((1, 1), np.uint8), np.array([[[0, 1]]], np.int8))[0, :3]
    array([1, 2, 3], dtype=uint8)
    """
    _check_plane(reference, "reference")
    blocks = (reference.shape[0] // BLOCK, reference.shape[1] // BLOCK)
    if moving.dtype != np.uint8 or moving.shape != blocks:
        raise InvalidInputError(f"moving must be uint8 {blocks}, got {moving.dtype} {moving.shape}")
    if motion.dtype != np.int8 or motion.shape != (*blocks, 2):
        raise InvalidInputError(
            f"motion must be int8 {(*blocks, 2)}, got {motion.dtype} {motion.shape}"
        )
    if motion.size and max(int(motion.max()), -int(motion.min())) > MOST_MOTION:
        raise InvalidInputError(f"a motion is -31 to 31, got {motion.min()} to {motion.max()}")
    warped: Plane = _backend(backend).warp_blocks(
        np.ascontiguousarray(reference), np.ascontiguousarray(moving), np.ascontiguousarray(motion)
    )
    return warped


def _backend(name: str | None):  # type: ignore[no-untyped-def]
    if name == "numpy":
        return plain
    if name not in (None, "native"):
        raise BackendError(f'backend must be "native" or "numpy", got {name!r}')
    try:
        from vqcodec_kernels import _search
    except ImportError as error:
        raise BackendError(f"the compiled search is not installed ({error})") from error
    return _search


def _check_plane(plane: Plane, name: str) -> None:
    if plane.dtype != np.uint8 or plane.ndim != 2:
        raise InvalidInputError(f"{name} must be uint8 (H, W), got {plane.dtype} {plane.shape}")
    if plane.size == 0 or plane.shape[0] % BLOCK or plane.shape[1] % BLOCK:
        raise InvalidInputError(f"{name} must be whole blocks of {BLOCK}, got {plane.shape}")
