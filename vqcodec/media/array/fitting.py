"""Coefficients of the linear prediction, fitted to an array; floats, for the encoder alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.fields import COEFFICIENTS

__all__ = ["fit_coefficients"]

_UNIT = 4096
_EQUATIONS = 1 << 15
# Rows down and columns right, in the order of the coefficients.
_NEAR = ((0, -2), (-1, 0), (-1, -1), (-1, 1), (-2, 0), (-1, -2), (-1, 2), (-2, -1), (-2, 1))
_BEFORE = ((0, 0), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))


def fit_coefficients(t: NDArray[np.int64], step: int) -> NDArray[np.int16]:
    """Least squares, weighted anew twice so that large errors count by their size, not its square.

    t: (outer, inner, rows, columns), of which some 2^15 places are looked at. step: of the
    quantizer, whose noise is in what is decoded. Returns int16 (4, 27), see
    `vqcodec_kernels.entropy.fields`.
    """
    found = np.zeros(COEFFICIENTS, np.int16)
    padded = np.pad(t, [(0, 0), (0, 0), (2, 2), (2, 2)], mode="edge")
    for row in range(4):
        inner, outer = row & 1, row >> 1
        if (inner and t.shape[1] == 1) or (outer and t.shape[0] == 1):
            continue
        first = (outer, inner, 0, 0)
        last = (t.shape[0] if outer else 1, t.shape[1] if inner else 1, *t.shape[2:])
        at = _places([end - begin for begin, end in zip(first, last, strict=True)])
        at = [place + begin for place, begin in zip(at, first, strict=True)]
        w = _moved(padded, at, 0, -1)
        columns = [_moved(padded, at, *offset) - w for offset in _NEAR]
        places = list(range(9))
        if inner:
            columns += _before(padded, [at[0], at[1] - 1, *at[2:]], w)
            places += range(9, 18)
        if outer:
            columns += _before(padded, [at[0] - 1, *at[1:]], w)
            places += range(18, 27)
        solved = _solve(np.stack(columns, axis=-1), _moved(padded, at, 0, 0) - w, step)
        found[row, places] = np.clip(np.rint(solved * _UNIT), -32767, 32767)
    return found


def _places(lengths: list[int]) -> list[NDArray[np.int64]]:
    """Indices along each axis of places that are spread over all of them."""
    count = math.prod(lengths)
    # Odd, as lengths of rows are often even: no column is left out.
    every = (count // _EQUATIONS) | 1
    return [*np.unravel_index(np.arange(0, count, every), lengths)]


def _solve(x: NDArray[Any], y: NDArray[Any], step: int) -> NDArray[Any]:
    weights = np.ones(len(y))
    solved = np.zeros(x.shape[1])
    for _ in range(3):
        weighted = x * weights[:, None]
        gram = weighted.T @ x
        noise = step**2 / 12 * weights.sum() if step > 1 else 0.0
        gram += np.eye(len(gram)) * (noise + 1e-6 * np.trace(gram) / len(gram) + 1e-12)
        solved = np.linalg.solve(gram, weighted.T @ y)
        errors = np.abs(y - x @ solved)
        weights = 1 / (errors + step / 2 + np.median(errors) / 2)
    return solved


def _before(
    padded: NDArray[np.int64], at: list[NDArray[np.int64]], w: NDArray[Any]
) -> list[NDArray[Any]]:
    """Differences to a slice before: its W to W, its others to its W."""
    before = _moved(padded, at, 0, -1)
    return [before - w, *(_moved(padded, at, *offset) - before for offset in _BEFORE)]


def _moved(
    padded: NDArray[np.int64], at: list[NDArray[np.int64]], down: int, right: int
) -> NDArray[np.float64]:
    """For each place the value so many rows down and columns right."""
    found: NDArray[np.float64] = padded[at[0], at[1], at[2] + 2 + down, at[3] + 2 + right].astype(
        np.float64
    )
    return found
