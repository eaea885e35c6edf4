"""A classifier with one hidden layer, trained by Adam in NumPy."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "Perceptron", "Samples", "adam_step", "train_perceptron"]

# One unit of a float input is this many integer units of a place.
UNIT = 256.0
BATCH = 512
RATE = 4e-3

FloatArray = NDArray[np.floating]


class Perceptron(NamedTuple):
    """logits = output_weights . relu(hidden_weights . x + hidden_biases) + output_biases."""

    hidden_weights: FloatArray
    hidden_biases: FloatArray
    output_weights: FloatArray
    output_biases: FloatArray


class Samples(NamedTuple):
    """Positions to learn from: (N,) rows of the places, their row strides, and their codes."""

    before: NDArray[np.int16]
    after: NDArray[np.int16]
    rows: NDArray[np.int64]
    strides: NDArray[np.int64]
    codes: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        before: NDArray[np.int16],
        after: NDArray[np.int16],
        grids: Sequence[NDArray[np.int64]],
    ) -> Self:
        """Lay the grids of one stage, int64 (H, W), out like the places before and after it."""
        rows, strides, start = [], [], 0
        for grid in grids:
            height, width = grid.shape
            y, x = np.mgrid[1 : height + 1, 1 : width + 1]
            rows.append((start + y * (width + 2) + x).ravel())
            strides.append(np.full(grid.size, width + 2))
            start += (height + 2) * (width + 2)
        codes = np.concatenate([grid.ravel() for grid in grids])
        return cls(before, after, np.concatenate(rows), np.concatenate(strides), codes)

    def inputs(self, chosen: NDArray[np.int64]) -> FloatArray:
        """Return the nine places around each chosen position, float32 (N, 9 E).

        Places that come earlier in row-major order hold their code of this stage already.
        """
        row, stride = self.rows[chosen], self.strides[chosen]
        earlier = [row - stride - 1, row - stride, row - stride + 1, row - 1]
        later = [row, row + 1, row + stride - 1, row + stride, row + stride + 1]
        places = [self.after[i] for i in earlier] + [self.before[i] for i in later]
        return np.concatenate(places, axis=1).astype(np.float32) / np.float32(UNIT)


def train_perceptron(
    samples: Samples, *, size: int, hidden: int, count: int, seed: int
) -> Perceptron:
    """Minimise the cost of the codes over `count` positions drawn at random, each batch anew.

    size: number of codes. Small sets are not looked at more than 30 times over.
    """
    rng = np.random.default_rng(seed)
    width = samples.before.shape[1] * 9
    share = np.bincount(samples.codes, minlength=size) + 0.2
    parameters = Perceptron(
        rng.normal(0, width**-0.5, (hidden, width)).astype(np.float32),
        np.zeros(hidden, np.float32),
        np.zeros((size, hidden), np.float32),
        np.log(share / share.sum()).astype(np.float32),
    )
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    steps = max(1, min(count, 30 * len(samples.codes)) // BATCH)
    for step in range(steps):
        chosen = rng.integers(0, len(samples.codes), BATCH)
        slopes = gradients(parameters, samples.inputs(chosen), samples.codes[chosen])
        # A short rise, then a straight line down to nothing.
        rate = RATE * min(1.0, (step + 1) / 100) * (1 - step / steps)
        for parameter, gradient, moment in zip(parameters, slopes, moments, strict=True):
            adam_step(parameter, gradient, moment, rate, step + 1)
    return parameters


def gradients(network: Perceptron, x: FloatArray, codes: NDArray[np.int64]) -> Perceptron:
    """Gradient of the mean cost, -ln p(code), of a batch."""
    hidden = np.maximum(x @ network.hidden_weights.T + network.hidden_biases, 0)
    logits = hidden @ network.output_weights.T + network.output_biases
    slope = np.exp(logits - logits.max(axis=1, keepdims=True))
    slope /= slope.sum(axis=1, keepdims=True)
    slope[np.arange(len(codes)), codes] -= 1
    slope /= len(codes)
    back = (slope @ network.output_weights) * (hidden > 0)
    return Perceptron(back.T @ x, back.sum(axis=0), slope.T @ hidden, slope.sum(axis=0))


def adam_step(
    parameter: FloatArray,
    gradient: FloatArray,
    moments: tuple[FloatArray, FloatArray],
    rate: float,
    step: int,
) -> None:
    """Move a parameter by Adam (Kingma and Ba 2015), in place; `step` counts from 1."""
    mean, square = moments
    mean += 0.1 * (gradient - mean)
    square += 0.01 * (gradient * gradient - square)
    correction = (1 - 0.99**step) ** 0.5 / (1 - 0.9**step)
    parameter -= (rate * correction) * mean / (np.sqrt(square) + 1e-8)
