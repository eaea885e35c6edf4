"""Training data of pictures of one size: the IDX files of MNIST."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vqcodec.errors import InputError

__all__ = ["FixedPictures", "read_idx", "read_labels"]


class FixedPictures:
    """Batches of small pictures of one size, uint8 (N, C, H, W), drawn at random."""

    def __init__(self, pictures: NDArray[np.uint8], *, seed: int) -> None:
        self._pictures = torch.from_numpy(np.ascontiguousarray(pictures))
        self._seed = seed
        self._random = np.random.default_rng(seed)

    def go_on(self, steps: int) -> None:
        """Draw from now on what a run draws after so many steps, whatever was drawn before."""
        self._random = np.random.default_rng([self._seed, steps])

    def batch(self, size: int) -> Tensor:
        """Draw float32 (size, C, H, W) in [0, 1]."""
        picks = self._random.integers(len(self._pictures), size=size)
        return self._pictures[picks].float() / 255


def read_idx(path: Path, *, limit: int = 1 << 30) -> NDArray[np.uint8]:
    """Read pictures of an IDX file (the MNIST format), gzipped or not -> uint8 (N, 1, H, W).

    Raises:
        InputError: not an IDX file of 8-bit pictures, of another length than it declares, or of
            more than `limit` bytes.
    """
    return _read(path, axes=3, of="8-bit pictures", limit=limit)[:, None]


def read_labels(path: Path, *, limit: int = 1 << 30) -> NDArray[np.uint8]:
    """Read the classes in an IDX file, gzipped or not -> uint8 (N,). Raises InputError as above."""
    return _read(path, axes=1, of="labels", limit=limit)


def _read(path: Path, *, axes: int, of: str, limit: int) -> NDArray[np.uint8]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            head = file.read(4 + 4 * axes)
            if len(head) < 4 + 4 * axes or head[:4] != bytes((0, 0, 8, axes)):
                raise InputError(f"{path}: not an IDX file of {of}")
            shape = struct.unpack(f">{axes}I", head[4:])
            size = math.prod(shape)
            if size > limit:
                raise InputError(f"{path}: declares {size} bytes, more than {limit}")
            body = file.read(size + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: {error}") from error
    if len(body) != size:
        raise InputError(f"{path}: is not as long as {' x '.join(map(str, shape))} bytes")
    return np.frombuffer(body, np.uint8).reshape(shape).copy()
