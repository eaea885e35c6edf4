import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.priors import MixingPrior
from vqcodec.priors.network import fit_network
from vqcodec.priors.perceptron import Perceptron, gradients, train_perceptron
from vqcodec.priors.places import Samples
from vqcodec_kernels.entropy.plain.neighbours import PLACES
from vqcodec_kernels.errors import InvalidInputError

SIZE = 12


def follow_grid(seed: int, positions: tuple[int, ...] = (14, 15)) -> NDArray[np.int64]:
    """Stage 1 is drawn at random; stage 2 repeats it from where only the network looks."""
    first = np.random.default_rng(seed).integers(0, SIZE, positions)
    step = {1: (4,), 2: (1, 1), 3: (1, 0, 0)}[len(positions)]
    second = np.zeros_like(first)
    second[tuple(slice(n - o) for n, o in zip(positions, step, strict=True))] = first[
        tuple(slice(o, n) for n, o in zip(positions, step, strict=True))
    ]
    return np.stack([first, second])


def points(seed: int = 0) -> NDArray[np.float64]:
    vectors = np.random.default_rng(seed).normal(size=(2, SIZE, 6))
    vectors[:, 0] = 0
    return vectors


@pytest.mark.parametrize("positions", [(210,), (14, 15), (7, 5, 6)])
def test_network_learns_what_the_contexts_cannot_see(positions: tuple[int, ...]) -> None:
    grids = [follow_grid(seed, positions) for seed in range(48)]
    codes = follow_grid(99, positions)
    plain = MixingPrior.fit(grids, codebook_size=SIZE)
    network = MixingPrior.fit(grids, codebook_size=SIZE, vectors=points(), samples=250_000)
    assert network.stage_bits(codes)[1] < 0.75 * plain.stage_bits(codes)[1]
    assert network.stage_bits(codes)[0] > 0.98 * codes[0].size * np.log2(SIZE)
    again = MixingPrior.from_tensors(network.tensors())
    for backend in ("native", "numpy"):
        read = again.decode(network.encode(codes), codes.shape, backend=backend)
        np.testing.assert_array_equal(read, codes)


@pytest.mark.parametrize("positions", [[(11,), (3,)], [(3, 5), (1, 4)], [(2, 3, 4), (3, 1, 2)]])
def test_samples_are_what_the_decoder_looks_at(positions: list[tuple[int, ...]]) -> None:
    rng = np.random.default_rng(4)
    embeddings = rng.integers(-2000, 2000, (3, SIZE, 5)).astype(np.int16)
    grids = [rng.integers(0, SIZE, (3, *extent)) for extent in positions]
    samples = Samples.of(grids, embeddings, 2)
    expected = []
    for grid in grids:
        totals = np.zeros((*grid.shape[1:], 5), np.int64)
        for place in np.ndindex(grid.shape[1:]):
            totals[place] = sum(embeddings[stage][grid[stage, *place]] for stage in (0, 1))
        for place in np.ndindex(grid.shape[1:]):
            row = []
            for offset in PLACES[len(place)]:
                there = tuple(np.add(place, offset))
                inside = all(0 <= p < n for p, n in zip(there, grid.shape[1:], strict=True))
                row.append(np.clip(totals[there], -2047, 2047) if inside else np.zeros(5))
            expected.append(np.concatenate(row) / 256)
            # As the decoder goes on, the place holds its code of this stage.
            totals[place] += embeddings[2][grid[2, *place]]
    np.testing.assert_array_equal(samples.inputs(np.arange(len(expected))), expected)
    np.testing.assert_array_equal(samples.codes, np.concatenate([g[2].ravel() for g in grids]))


def test_grids_of_different_axes_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"axes.*\[1, 2\]"):
        MixingPrior.fit([follow_grid(0), follow_grid(0, (9,))], codebook_size=SIZE)


def test_perceptron_learns_what_the_rate_alone_tells() -> None:
    rates = np.random.default_rng(0).integers(0, 2, 40_000)
    places = np.full((9, 2), 256, np.int16)
    middle = np.full(len(rates), 4)
    strides = np.full((len(rates), 2), [3, 1])
    samples = Samples(places, places, middle, strides, np.where(rates, 5, 0))
    network = train_perceptron(
        samples, rates, size=SIZE, units=(8, 6), most_rates=2, count=1_200_000, seed=0
    )
    first = np.maximum(network.first_weights.sum(axis=1) + network.first_biases, 0)
    second = np.maximum(first @ network.second_weights.T + network.second_biases, 0)
    logits = second @ network.output_weights.T + network.output_biases
    # Code 0 at rate 0; at rate 1 another one, and that is 5.
    assert logits[0, 0] < -1.5
    assert logits[1, 0] > 1.5
    assert logits[1, 1:].argmax() + 1 == 5


def test_fitting_twice_gives_the_same_network() -> None:
    grids = [follow_grid(seed) for seed in range(3)]
    first = fit_network(grids, points(), seed=1, samples=5_000)
    second = fit_network(grids, points(), seed=1, samples=5_000)
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, second.arrays()[name], err_msg=name)


def test_gradients_are_slopes_of_the_cost() -> None:
    rng = np.random.default_rng(0)
    shapes = [(5, 18), (3, 5), (4, 5), (4,), (7, 4), (7,)]
    parameters = Perceptron(*(rng.normal(size=shape) for shape in shapes))
    x, codes, rates = rng.normal(size=(19, 18)), np.arange(19) % 7, np.arange(19) % 2

    def cost() -> float:
        total = 0.0
        for row, code, rate in zip(x, codes, rates, strict=True):
            first = np.maximum(parameters.first_weights @ row + parameters.first_biases[rate], 0)
            second = np.maximum(parameters.second_weights @ first + parameters.second_biases, 0)
            logits = parameters.output_weights @ second + parameters.output_biases
            total += np.log1p(np.exp(-logits[0] if code else logits[0]))
            if code:
                total += np.log(np.exp(logits[1:]).sum()) - logits[code]
        return float(total / len(codes))

    slopes = gradients(parameters, x, rates, codes)
    for parameter, gradient in zip(parameters, slopes, strict=True):
        for place in range(0, parameter.size, 3):
            value = parameter.flat[place]
            parameter.flat[place] = value + 1e-6
            above = cost()
            parameter.flat[place] = value - 1e-6
            below = cost()
            parameter.flat[place] = value
            np.testing.assert_allclose(
                gradient.flat[place], (above - below) / 2e-6, rtol=1e-4, atol=1e-8
            )


@pytest.mark.parametrize("batch", [[0, 0], [3, 5]])
def test_gradients_of_batches_without_zeros_or_without_others(batch: list[int]) -> None:
    parameters = Perceptron.drawn(np.random.default_rng(1), np.arange(7), (18, 2, 5, 4, 7))
    x = np.ones((2, 18), np.float32)
    slopes = gradients(parameters, x, np.array([0, 1]), np.array(batch))
    assert all(np.isfinite(slope).all() for slope in slopes)
    # The weights begin at zero, so each code's bias falls by its surplus of probability.
    share = np.exp(parameters.output_biases[1:]) / np.exp(parameters.output_biases[1:]).sum()
    expected = np.zeros(6) if batch[0] == 0 else share - np.isin(np.arange(1, 7), batch) / 2
    np.testing.assert_allclose(slopes.output_biases[1:], expected, atol=1e-6)


@pytest.mark.parametrize("vectors", [np.zeros((1, SIZE, 6)), np.full((2, SIZE, 6), np.nan)])
def test_bad_vectors_are_refused(vectors: NDArray[np.float64]) -> None:
    with pytest.raises(InvalidInputError, match="vectors"):
        MixingPrior.fit([follow_grid(0)], codebook_size=SIZE, vectors=vectors)
