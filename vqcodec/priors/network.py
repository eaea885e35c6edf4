"""Training of the integer network that guesses a code from the places around it.

Training is in float32; what comes out is integers, and only those are ever used for coding.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vqcodec.priors.perceptron import Perceptron, train_perceptron
from vqcodec.priors.places import Samples
from vqcodec_kernels.entropy.start import MAX_ACTIVATION, MAX_BIAS, MAX_WEIGHT, MixingStart
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["fit_network", "split_grids"]

# The last dimension counts the codes of a place that are not 0.
DIMENSIONS = 32
UNITS = (128, 64)
# One is 2^8 for inputs and logits, and 2^7 for hidden units: they stay below 16.
INPUT_BITS = 8
UNIT_BITS = 7
LOGIT_BITS = 8
# A layer NAME has arrays NAME_weights and NAME_biases, and a column of the shifts; bits of one in
# what comes in, and in what goes out.
LAYERS = (
    ("first", INPUT_BITS, UNIT_BITS),
    ("second", UNIT_BITS, UNIT_BITS),
    ("output", UNIT_BITS, LOGIT_BITS),
)
# Standard deviation of the widest axis of a place: six of them fit below MAX_ACTIVATION.
WIDEST = 340.0
# A quarter of one, so that a dozen codes stay in the range of the other inputs.
SPOKEN = 64

FloatArray = NDArray[np.float32]


def split_grids(
    grids: Sequence[NDArray[np.int64]], stage: int
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Part the grids that have a stage: seven in eight to learn from, and one that is kept back.

    A single grid serves as both.

    >>> grids = [np.zeros((stages, 2, 3), np.int64) for stages in (1, 2, 3, 3, 3)]
    >>> [[len(grid) for grid in part] for part in split_grids(grids, stage=1)]
    [[3, 3, 3], [2]]
    """
    having = [grid for grid in grids if len(grid) > stage]
    if len(having) == 1:
        return having, having
    return [grid for i, grid in enumerate(having) if i % 8], having[::8]


def fit_network(
    grids: Sequence[NDArray[np.int64]],
    vectors: NDArray[np.floating],
    *,
    seed: int,
    samples: int,
    report: Callable[[float], None] | None = None,
) -> MixingStart:
    """Train a network for each stage on grids of codes; the most stages that one has become S.

    grids: int64 (S', *positions), all with as many axes; those that `split_grids` keeps back are
    not looked at. Returns a start that holds the network; its counters and mixers are yet zero.

    vectors: float (S, K, D), the codebooks; samples: how many positions to look at for each stage,
    repetitions counted; report: called after each stage with the share done. Raises
    InvalidInputError.

    >>> grid = np.arange(60).reshape(2, 5, 6) % 4
    >>> start = fit_network([grid], np.ones((2, 4, 3)), seed=0, samples=1024)
    >>> start.embeddings.shape
    (2, 4, 4)
    """
    embeddings = _embed(grids, vectors)
    stages, size, dimensions = embeddings.shape
    start = MixingStart.zeros(codebook_size=size, stages=stages, dimensions=dimensions, units=UNITS)
    start.embeddings[:] = embeddings
    for stage in range(stages):
        learned, _ = split_grids(grids, stage)
        rates = np.repeat([len(grid) - 1 for grid in learned], [grid[0].size for grid in learned])
        perceptron = train_perceptron(
            Samples.of(learned, embeddings, stage),
            rates,
            size=size,
            units=UNITS,
            most_rates=stages,
            count=samples,
            seed=seed + stage,
        )
        _write_stage(perceptron, start, stage)
        if report is not None:
            report((stage + 1) / stages)
    return start


def _embed(grids: Sequence[NDArray[np.int64]], vectors: NDArray[np.floating]) -> NDArray[np.int16]:
    """The projected codes, and a last dimension that is the same for every code but 0."""
    projected = _project(grids, vectors)
    spoken = np.full((*projected.shape[:2], 1), SPOKEN, np.int16)
    spoken[:, 0] = 0
    return np.ascontiguousarray(np.concatenate([projected, spoken], axis=2))


def _project(
    grids: Sequence[NDArray[np.int64]], vectors: NDArray[np.floating]
) -> NDArray[np.int16]:
    """Project the codes on the principal axes of their sums, int16 (S, K, E - 1).

    grids: int64 (S', *positions); the largest S' becomes S. vectors: float (S, K, D). Raises
    InvalidInputError.

    An axis is scaled by the square root of its spread: halfway between leaving the axes as they
    are, and making all of them equally wide.
    """
    stages = max(len(grid) for grid in grids)
    if vectors.ndim != 3 or len(vectors) < stages or not np.isfinite(vectors).all():
        raise InvalidInputError(f"vectors must be finite, ({stages}, K, D), got {vectors.shape}")
    vectors = np.asarray(vectors[:stages], np.float64)
    total = np.zeros((vectors.shape[2], vectors.shape[2]))
    count = 0
    for grid in grids[:: max(1, len(grids) // 32)]:
        codes = grid.reshape(len(grid), -1)
        sums = np.take_along_axis(vectors[: len(grid)], codes[:, :, None], axis=1).sum(axis=0)
        total += sums.T @ sums
        count += len(sums)
    spread, axes = np.linalg.eigh(total / max(count, 1))
    spread = np.sqrt(np.maximum(spread[::-1][: DIMENSIONS - 1], 1e-12))
    axes = axes[:, ::-1][:, : DIMENSIONS - 1]
    scale = WIDEST / np.sqrt(spread[0] * spread)
    scaled = vectors @ (axes * np.minimum(scale, 1e3 * WIDEST / spread[0]))
    embeddings = np.clip(np.rint(scaled), -MAX_ACTIVATION, MAX_ACTIVATION)
    return np.ascontiguousarray(embeddings, np.int16)


def _write_stage(perceptron: Perceptron, start: MixingStart, stage: int) -> None:
    """Write a trained perceptron into a stage of the network's arrays as integers."""
    for number, (name, bits_in, bits_out) in enumerate(LAYERS):
        weights, biases, shift = _to_integers(
            getattr(perceptron, f"{name}_weights"),
            getattr(perceptron, f"{name}_biases"),
            bits_in=bits_in,
            bits_out=bits_out,
        )
        getattr(start, f"{name}_weights")[stage] = weights
        getattr(start, f"{name}_biases")[stage] = biases
        start.shifts[stage, number] = shift


def _to_integers(
    weights: FloatArray, biases: FloatArray, *, bits_in: int, bits_out: int
) -> tuple[FloatArray, FloatArray, int]:
    """Round a layer: whole weights and biases, and how far their sums are shifted down.

    bits_in, bits_out: one is 2^bits of what comes in, and of what goes out.
    """
    largest = max(float(np.abs(weights).max(initial=0.0)), 2.0**-10)
    # As fine as the weights allow, and such that the shift is not negative.
    bits = int(np.clip(np.floor(np.log2(MAX_WEIGHT / largest)), 1, 20))
    shift = bits + bits_in - bits_out
    # Half a unit of the result, so that shifting down rounds.
    whole = np.rint(biases.astype(np.float64) * 2.0 ** (bits + bits_in)) + (1 << shift >> 1)
    return (
        np.clip(np.rint(weights * 2.0**bits), -MAX_WEIGHT, MAX_WEIGHT),
        np.clip(whole, -MAX_BIAS, MAX_BIAS),
        shift,
    )
