"""What the operators of motion mean, in plain NumPy: block after block, every candidate in turn."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_motion", "warp_blocks"]

_BLOCK = 16
_FURTHEST = 15
_ROOM = _FURTHEST + 1

Plane = NDArray[np.uint8]
Motion = NDArray[np.int8]
Offset = tuple[int, int]


def find_motion(frame: Plane, reference: Plane, price: int) -> tuple[Motion, NDArray[np.int32]]:
    """See `ops.find_motion`."""
    bordered = np.pad(reference, _ROOM, mode="edge").astype(np.int64)
    rows, columns = frame.shape[0] // _BLOCK, frame.shape[1] // _BLOCK
    motion = np.zeros((rows, columns, 2), np.int8)
    errors = np.zeros((rows, columns), np.int32)
    for y in range(rows):
        for x in range(columns):
            near: list[Offset] = []
            for there, other in ((x > 0, (y, x - 1)), (y > 0, (y - 1, x))):
                if there and (offset := _offset(motion, other)) not in near:
                    near.append(offset)
            block = frame[y * _BLOCK : (y + 1) * _BLOCK, x * _BLOCK : (x + 1) * _BLOCK]
            best, error = _search(block.astype(np.int64), bordered, (y, x), price, near)
            motion[y, x], errors[y, x] = best, error
    return motion, errors


def warp_blocks(reference: Plane, moving: NDArray[np.uint8], motion: Motion) -> Plane:
    """See `ops.warp_blocks`."""
    bordered = np.pad(reference, _ROOM, mode="edge").astype(np.int64)
    warped = reference.copy()
    for y, x in np.argwhere(moving).tolist():
        place = slice(y * _BLOCK, (y + 1) * _BLOCK), slice(x * _BLOCK, (x + 1) * _BLOCK)
        warped[place] = _taken(bordered, (y, x), _offset(motion, (y, x)))
    return warped


def _search(
    block: NDArray[np.int64],
    bordered: NDArray[np.int64],
    place: tuple[int, int],
    price: int,
    near: list[Offset],
) -> tuple[Offset, int]:
    """The motion of the lowest cost, the first of equals, and its error."""

    def cost(offset: Offset) -> tuple[int, int]:
        error = int(np.abs(block - _taken(bordered, place, offset)).sum())
        return 16 * error + price * _bits(offset, near), error

    steps = range(-_FURTHEST, _FURTHEST + 1)
    whole = [(2 * y, 2 * x) for y in steps for x in steps]
    best = min([(0, 0), *near, *whole], key=lambda offset: cost(offset)[0])
    around = [(best[0] + y, best[1] + x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    most = 2 * _FURTHEST + 1
    inside = [offset for offset in around if max(abs(offset[0]), abs(offset[1])) <= most]
    best = min([best, *inside], key=lambda offset: cost(offset)[0])
    return best, cost(best)[1]


def _bits(offset: Offset, near: list[Offset]) -> int:
    """Bits of a motion, about: few for that of a neighbour, else by how far off the first is."""
    if offset in near:
        return 1 + near.index(offset)
    first = near[0] if near else (0, 0)
    return 4 + 2 * sum(abs(a - b).bit_length() for a, b in zip(offset, first, strict=True))


def _taken(
    bordered: NDArray[np.int64], place: tuple[int, int], offset: Offset
) -> NDArray[np.int64]:
    """The block that lies so many halves from a place."""
    y, x = (
        _BLOCK * index + (halves >> 1) + _ROOM for index, halves in zip(place, offset, strict=True)
    )
    window = bordered[y : y + _BLOCK + 1, x : x + _BLOCK + 1]
    down, right = offset[0] & 1, offset[1] & 1
    parts = [
        window[i : i + _BLOCK, j : j + _BLOCK] for i in range(down + 1) for j in range(right + 1)
    ]
    # Of one, two or four: the mean, halves rounded up.
    return (sum(parts) + len(parts) // 2) // len(parts)  # type: ignore[return-value]


def _offset(motion: Motion, place: tuple[int, int]) -> Offset:
    return int(motion[*place, 0]), int(motion[*place, 1])
