"""Vectors that the tests share: a few directions that matter and noise, and their streams."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec import vectors

Rows = NDArray[np.float32]


def made(count: int, dim: int, *, seed: int = 3) -> Rows:
    """float32 (count, dim), of falling variances about a mean."""
    random = np.random.default_rng(seed)
    scales = 0.9 ** np.arange(dim)
    turned = np.linalg.qr(random.normal(size=(dim, dim)))[0]
    rows: Rows = ((random.normal(size=(count, dim)) * scales) @ turned + 0.3).astype(np.float32)
    return rows


@pytest.fixture(scope="session")
def rows() -> Rows:
    """4133 vectors of 37 numbers: more than a block."""
    return made(4133, 37)


@pytest.fixture(scope="session")
def data(rows: Rows) -> bytes:
    """Their stream, with its own codebook."""
    return vectors.encode(rows, bytes_per_vector=10, effort=3)


@pytest.fixture(scope="session")
def codebook(rows: Rows) -> bytes:
    """A codebook of them, for streams without one."""
    return vectors.train_codebook(rows, bytes_per_vector=6, effort=3)
