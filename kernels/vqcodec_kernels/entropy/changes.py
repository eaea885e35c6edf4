"""The frames of a group to bytes and back: which blocks move from where, and codes of changes.

What the model is stands in kernels/csrc/changes: integers alone, from the stream alone. It learns
from frame to frame, so frames are read in the order in which they were written.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain.changes import PlainChanges
from vqcodec_kernels.entropy.symbols import native
from vqcodec_kernels.errors import BackendError, InvalidInputError

__all__ = ["Change", "ChangeDecoder", "ChangeEncoder", "ChangeStart", "blocks_of"]

# What coding starts from: counters uint16, weights int32, uses uint8, each in a row.
ChangeStart = Mapping[str, NDArray[np.generic]]

_MOST_POSITIONS = 2**24


class Change(NamedTuple):
    """What a frame has that the one before had not.

    moving: uint8 (H', W'), 1 for a block of 2 x 2 positions that comes from elsewhere.
    motion: int8 (H', W', 2), from where, -31 to 31 down and right, 0 where nothing moves.
    codes: int64 (S, H, W).
    """

    moving: NDArray[np.uint8]
    motion: NDArray[np.int8]
    codes: NDArray[np.int64]


def blocks_of(rows: int, columns: int) -> tuple[int, int]:
    """Blocks of 2 x 2 positions that cover a grid.

    >>> blocks_of(23, 40)
    (12, 20)
    """
    return -(-rows // 2), -(-columns // 2)


class ChangeEncoder:
    """Takes changes frame by frame and gives the payload of all of them.

    Args:
        rows, columns: positions of a frame. stages, codebook_size: of the codes; 2 to 4096 codes.
        start: what coding starts from; None for nothing.

    Raises:
        InvalidInputError: a number out of range, or a start of other codes. BackendError.

    >>> change = Change(
    ...     np.zeros((1, 2), np.uint8), np.zeros((1, 2, 2), np.int8), np.zeros((3, 2, 4), np.int64)
    ... )
    >>> change.codes[0, 1, 2] = 7
    >>> encoder = ChangeEncoder(2, 4, stages=3, codebook_size=16)
    >>> bits = encoder.add(change)
    >>> payload = encoder.finish()
    >>> decoder = ChangeDecoder(payload, 2, 4, stages=3, codebook_size=16)
    >>> bool((decoder.next().codes == change.codes).all())
    True
    >>> decoder.finish()
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        *,
        stages: int,
        codebook_size: int,
        start: ChangeStart | None = None,
    ) -> None:
        _check(rows, columns, stages, codebook_size)
        try:
            self._native = native().ChangeEncoder(
                rows, columns, stages, codebook_size, None if start is None else dict(start)
            )
        except (ValueError, KeyError, RuntimeError) as error:
            raise InvalidInputError(str(error)) from error

    def add(self, change: Change) -> float:
        """Code a frame; gives the bits that it takes. Raises: InvalidInputError."""
        try:
            bits: float = self._native.add(
                np.ascontiguousarray(change.moving),
                np.ascontiguousarray(change.motion),
                np.ascontiguousarray(change.codes),
            )
        except (ValueError, TypeError) as error:
            raise InvalidInputError(str(error)) from error
        return bits

    def finish(self) -> bytes:
        """The payload of all frames."""
        payload: bytes = self._native.finish()
        return payload

    def state(self) -> dict[str, NDArray[np.generic]]:
        """What was learned so far, as `start` takes it."""
        return dict(self._native.state())


class ChangeDecoder:
    """Reads back what `ChangeEncoder` wrote, with the same arguments.

    Args:
        backend: "native", the default, or "numpy", slow.

    Raises:
        InvalidInputError, CorruptPayloadError, BackendError.
    """

    def __init__(
        self,
        payload: bytes,
        rows: int,
        columns: int,
        *,
        stages: int,
        codebook_size: int,
        start: ChangeStart | None = None,
        backend: str | None = None,
    ) -> None:
        _check(rows, columns, stages, codebook_size)
        if backend not in (None, "native", "numpy"):
            raise BackendError(f'backend must be "native" or "numpy", got {backend!r}')
        kind = PlainChanges if backend == "numpy" else native().ChangeDecoder
        try:
            self._reader = kind(
                bytes(payload),
                rows,
                columns,
                stages,
                codebook_size,
                None if start is None else dict(start),
            )
        except (ValueError, KeyError, RuntimeError) as error:
            raise InvalidInputError(str(error)) from error

    def next(self) -> Change:
        """The next frame. Raises: CorruptPayloadError for what no encoder writes."""
        return Change(*self._reader.next())

    def finish(self) -> None:
        """Take the end. Raises: CorruptPayloadError where no encoder ends."""
        self._reader.finish()


def _check(rows: int, columns: int, stages: int, codebook_size: int) -> None:
    if not (rows >= 1 and columns >= 1 and rows * columns <= _MOST_POSITIONS):
        raise InvalidInputError(f"a frame has 1 to 2^24 positions, got {rows} x {columns}")
    if not (1 <= stages <= 64 and 2 <= codebook_size <= 4096):
        raise InvalidInputError(
            f"stages must be 1 to 64 and a codebook 2 to 4096 codes, got {stages}, {codebook_size}"
        )
