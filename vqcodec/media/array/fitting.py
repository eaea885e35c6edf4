"""Coefficients of the linear prediction, fitted to an array; floats, for the encoder alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.fields import COEFFICIENTS

__all__ = ["fit_coefficients"]

_UNIT = 4096
# Rows down and columns right, in the order of the coefficients.
_NEAR = ((0, -2), (-1, 0), (-1, -1), (-1, 1), (-2, 0), (-1, -2), (-1, 2), (-2, -1), (-2, 1))
_BEFORE = ((0, 0), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))


def fit_coefficients(t: NDArray[np.int64], step: int) -> NDArray[np.int16]:
    """Least squares, weighted anew twice so that large errors count by their size, not its square.

    t: (outer, inner, rows, columns). step: of the quantizer, whose noise is in what is decoded.
    Returns int16 (4, 27), see `vqcodec_kernels.entropy.fields`.
    """
    values = t.astype(np.float64)
    w = _moved(values, 0, -1)
    near = np.stack([_moved(values, *offset) - w for offset in _NEAR], axis=-1)
    found = np.zeros(COEFFICIENTS, np.int16)
    for row in range(4):
        inner, outer = row & 1, row >> 1
        if (inner and t.shape[1] == 1) or (outer and t.shape[0] == 1):
            continue
        here = (slice(1, None) if outer else slice(0, 1), slice(1, None) if inner else slice(0, 1))
        columns, places = [near[here]], list(range(9))
        if inner:
            columns.append(_before(values[here[0], :-1], w[here]))
            places += range(9, 18)
        if outer:
            columns.append(_before(values[:-1, here[1]], w[here]))
            places += range(18, 27)
        x = np.concatenate(columns, axis=-1)
        y = (values - w)[here]
        solved = _solve(x.reshape(-1, x.shape[-1]), y.reshape(-1), step)
        found[row, places] = np.clip(np.rint(solved * _UNIT), -32767, 32767)
    return found


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


def _before(values: NDArray[Any], w: NDArray[Any]) -> NDArray[Any]:
    """Differences to a slice before: its W to W, its others to its W."""
    before = _moved(values, 0, -1)
    others = [_moved(values, *offset) - before for offset in _BEFORE]
    return np.stack([before - w, *others], axis=-1)


def _moved(values: NDArray[Any], down: int, right: int) -> NDArray[Any]:
    """At each place the value so many rows down and columns right, the nearest at the edges."""
    padded = np.pad(values, [(0, 0), (0, 0), (2, 2), (2, 2)], mode="edge")
    rows, columns = values.shape[2:]
    return padded[:, :, 2 + down : 2 + down + rows, 2 + right : 2 + right + columns]
