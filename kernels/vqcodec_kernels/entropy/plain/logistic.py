"""The integer tables of the mixing model: logistic function, its inverse, exponential.

The twin of kernels/csrc/entropy/logistic.hpp, in Python integers.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_LOGIT", "Logistic", "logistic_tables"]

MAX_LOGIT = 2815
# exp(-1/256) in units of 2^-32.
_STEP = 4278222805


class Logistic(NamedTuple):
    """squash: (2 * MAX_LOGIT + 1,); stretch: (4096,); decay: (MAX_LOGIT + 1,); all int64.

    squash[MAX_LOGIT + x] is the probability of logit x / 256 in units of 2^-16, stretch[p] the
    logit of the middle of the p-th of 4096 cells, decay[x] is exp(-x / 256) in units of 2^-16.
    """

    squash: NDArray[np.int64]
    stretch: NDArray[np.int64]
    decay: NDArray[np.int64]


@cache
def logistic_tables() -> Logistic:
    """Make the tables."""
    powers = [1 << 32]
    for _ in range(MAX_LOGIT):
        powers.append((powers[-1] * _STEP + (1 << 31)) >> 32)
    upper = [min((1 << 48) // ((1 << 32) + power), 65535) for power in powers]
    lower = [65536 - p for p in upper[:0:-1]]
    # The smallest logit whose probability reaches the middle of the cell.
    middles = 16 * np.arange(2048, 4096) + 8
    high = np.searchsorted(np.array(upper), middles).astype(np.int64)
    return Logistic(
        np.array(lower + upper, np.int64),
        np.concatenate([-high[::-1], high]),
        np.array([power >> 16 for power in powers], np.int64),
    )
