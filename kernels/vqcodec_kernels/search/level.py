"""Which instruction set the search in C++ runs with; none changes a nearest code.

A level is one of `LEVELS`, what this processor has, best first. By default $VQCODEC_CPU_LEVEL, else
the best for the size.
"""

import os

from vqcodec_kernels import _search
from vqcodec_kernels.errors import BackendError

__all__ = ["LEVELS", "default_level", "level_name"]

LEVELS = tuple(_search.level_names())


def level_name(level: str | None) -> str:
    """The level to use: what was asked for, $VQCODEC_CPU_LEVEL, or "" for the best."""
    level = os.environ.get("VQCODEC_CPU_LEVEL", "") if level is None else level
    if level and level not in LEVELS:
        raise BackendError(f"CPU level must be one of {LEVELS} on this processor, got {level!r}")
    return level


def default_level(rows: int, size: int, dim: int) -> str:
    """The level that searches `size` codes for so many rows if a call does not say."""
    return level_name(None) or _search.default_level(rows, size, dim)
