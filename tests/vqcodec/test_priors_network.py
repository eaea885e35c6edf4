import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.priors import MixingPrior
from vqcodec.priors.network import fit_network
from vqcodec.priors.perceptron import Perceptron, gradients
from vqcodec_kernels.errors import InvalidInputError

SIZE = 12


def follow_map(seed: int) -> NDArray[np.int64]:
    """Stage 1 is drawn at random; stage 2 repeats it from one place below and to the right."""
    first = np.random.default_rng(seed).integers(0, SIZE, (14, 15))
    second = np.zeros_like(first)
    second[:-1, :-1] = first[1:, 1:]
    return np.stack([first, second])


def points(seed: int = 0) -> NDArray[np.float64]:
    vectors = np.random.default_rng(seed).normal(size=(2, SIZE, 6))
    vectors[:, 0] = 0
    return vectors


def test_network_learns_what_the_contexts_cannot_see() -> None:
    maps = [follow_map(seed) for seed in range(12)]
    codes = follow_map(99)
    plain = MixingPrior.fit(maps, codebook_size=SIZE)
    network = MixingPrior.fit(maps, codebook_size=SIZE, vectors=points(), samples=60_000)
    assert network.stage_bits(codes)[1] < 0.75 * plain.stage_bits(codes)[1]
    # Random codes cost log2(12) bits each, whatever is tried on them.
    assert network.stage_bits(codes)[0] > 0.98 * codes[0].size * np.log2(SIZE)
    again = MixingPrior.from_tensors(network.tensors())
    for backend in ("native", "numpy"):
        read = again.decode(network.encode(codes), codes.shape, backend=backend)
        np.testing.assert_array_equal(read, codes)


def test_fitting_twice_gives_the_same_network() -> None:
    maps = [follow_map(seed) for seed in range(3)]
    first = fit_network(maps, points(), seed=1, samples=5_000)
    second = fit_network(maps, points(), seed=1, samples=5_000)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_gradients_are_slopes_of_the_cost() -> None:
    rng = np.random.default_rng(0)
    shapes = [(5, 18), (5,), (7, 5), (7,)]
    parameters = Perceptron(*(rng.normal(size=shape) for shape in shapes))
    x, codes = rng.normal(size=(9, 18)), rng.integers(0, 7, 9)

    def cost() -> float:
        hidden = np.maximum(x @ parameters.hidden_weights.T + parameters.hidden_biases, 0)
        logits = hidden @ parameters.output_weights.T + parameters.output_biases
        log_mass = np.log(np.exp(logits).sum(axis=1))
        return float((log_mass - logits[np.arange(9), codes]).mean())

    for parameter, gradient in zip(parameters, gradients(parameters, x, codes), strict=True):
        for place in range(0, parameter.size, 5):
            value = parameter.flat[place]
            parameter.flat[place] = value + 1e-6
            above = cost()
            parameter.flat[place] = value - 1e-6
            below = cost()
            parameter.flat[place] = value
            np.testing.assert_allclose(
                gradient.flat[place], (above - below) / 2e-6, rtol=1e-4, atol=1e-8
            )


@pytest.mark.parametrize("vectors", [np.zeros((1, SIZE, 6)), np.full((2, SIZE, 6), np.nan)])
def test_bad_vectors_are_refused(vectors: NDArray[np.float64]) -> None:
    with pytest.raises(InvalidInputError, match="vectors"):
        MixingPrior.fit([follow_map(0)], codebook_size=SIZE, vectors=vectors)
