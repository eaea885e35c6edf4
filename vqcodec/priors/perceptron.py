"""A classifier with two hidden layers, which first asks whether a code is 0; NumPy and Adam."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec.priors.places import Samples

__all__ = ["Perceptron", "gradients", "train_perceptron"]

BATCH = 1024
RATE = 4e-3

FloatArray = NDArray[np.floating]


class Perceptron(NamedTuple):
    """Two hidden layers of rectified units, the first with biases (R, M) for each rate.

    logits = output_weights . second + output_biases; logit 0 says whether a code is another one
    than 0, the others compare the other codes.
    """

    first_weights: FloatArray
    first_biases: FloatArray
    second_weights: FloatArray
    second_biases: FloatArray
    output_weights: FloatArray
    output_biases: FloatArray

    @classmethod
    def drawn(
        cls,
        rng: np.random.Generator,
        codes: NDArray[np.int64],
        sizes: tuple[int, int, int, int, int],
    ) -> Self:
        """Draw weights for (inputs, rates, first, second, outputs) units; outputs know shares."""
        inputs, rates, first, second, size = sizes
        share = (np.bincount(codes, minlength=size) + 0.2) / (len(codes) + 0.2 * size)
        biases = np.log(share)
        biases[0] = np.log((1 - share[0]) / share[0]) if size > 1 else 0
        return cls(
            rng.normal(0, inputs**-0.5, (first, inputs)).astype(np.float32),
            np.zeros((rates, first), np.float32),
            rng.normal(0, first**-0.5, (second, first)).astype(np.float32),
            np.zeros(second, np.float32),
            np.zeros((size, second), np.float32),
            biases.astype(np.float32),
        )


def train_perceptron(
    samples: Samples,
    rates: NDArray[np.int64],
    *,
    size: int,
    units: tuple[int, int],
    most_rates: int,
    count: int,
    seed: int,
) -> Perceptron:
    """Minimise the cost of the codes over `count` positions drawn at random, each batch anew.

    rates: int64 (N,), the rate of each position, below `most_rates`; size: number of codes. Small
    sets are not looked at more than 30 times over.
    """
    rng = np.random.default_rng(seed)
    sizes = (samples.width, most_rates, *units, size)
    parameters = Perceptron.drawn(rng, samples.codes, sizes)
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    steps = max(1, min(count, 30 * len(samples.codes)) // BATCH)
    for step in range(steps):
        chosen = rng.integers(0, len(samples.codes), BATCH)
        x, codes = samples.inputs(chosen), samples.codes[chosen]
        slopes = gradients(parameters, x, rates[chosen], codes)
        # A short rise, then a straight line down to nothing.
        rate = RATE * min(1.0, (step + 1) / 100) * (1 - step / steps)
        for parameter, gradient, moment in zip(parameters, slopes, moments, strict=True):
            _adam_step(parameter, gradient, moment, rate, step + 1)
    return parameters


def gradients(
    network: Perceptron, x: FloatArray, rates: NDArray[np.int64], codes: NDArray[np.int64]
) -> Perceptron:
    """Gradient of the mean cost, -ln p(code), of a batch."""
    first = np.maximum(x @ network.first_weights.T + network.first_biases[rates], 0)
    second = np.maximum(first @ network.second_weights.T + network.second_biases, 0)
    weights, biases = np.zeros_like(network.output_weights), np.zeros_like(network.output_biases)
    # Zero or not: a logistic regression over all positions.
    logit = second @ network.output_weights[0] + network.output_biases[0]
    slope = (1 / (1 + np.exp(-logit)) - (codes != 0)).astype(x.dtype) / x.dtype.type(len(codes))
    weights[0], biases[0] = slope @ second, slope.sum()
    back = slope[:, None] * network.output_weights[0]
    # Which one: a softmax over the other codes, where one of them was chosen.
    chosen = np.flatnonzero(codes)
    others = _softmax_slope(network, second[chosen], codes[chosen] - 1) / x.dtype.type(len(codes))
    weights[1:], biases[1:] = others.T @ second[chosen], others.sum(axis=0)
    back[chosen] += others @ network.output_weights[1:]
    back *= second > 0
    further = (back @ network.second_weights) * (first > 0)
    of_rate = (rates == np.arange(len(network.first_biases))[:, None]).astype(x.dtype)
    return Perceptron(
        further.T @ x, of_rate @ further, back.T @ first, back.sum(axis=0), weights, biases
    )


def _softmax_slope(network: Perceptron, second: FloatArray, codes: NDArray[np.int64]) -> FloatArray:
    """Gradient of the cost of each row by its logits, those of all codes but 0: (N, K - 1)."""
    logits = second @ network.output_weights[1:].T + network.output_biases[1:]
    slope: FloatArray = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    slope /= slope.sum(axis=1, keepdims=True)
    slope[np.arange(len(codes)), codes] -= 1
    return slope


def _adam_step(
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
