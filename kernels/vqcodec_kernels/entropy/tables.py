"""What the mixing model starts from: trained counters, weights, and a small integer network."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.errors import InvalidInputError

__all__ = [
    "CLASS_SETS",
    "INPUTS",
    "MAX_ACTIVATION",
    "MAX_BIAS",
    "MAX_LENGTH",
    "MAX_WEIGHT",
    "PLACES",
    "TRAINED_NODES",
    "TRAINED_VALUES",
    "MixingTables",
]

# Sizes that kernels/csrc/entropy/{contexts,mixing,places}.hpp fix.
TRAINED_VALUES = 175
TRAINED_NODES = 256
INPUTS = 42
CLASS_SETS = 84
PLACES = 9
MAX_ACTIVATION = 2047
MAX_WEIGHT = 1023
MAX_BIAS = 1 << 28
MAX_CODEBOOK_SIZE = 4096
# PLACES * dimensions and hidden units, times 2047 * 1023, plus a bias, stay below 2^31.
MAX_LENGTH = 800


@dataclass(frozen=True)
class MixingTables:
    """Where the model of each stage starts, before it adapts to a grid. All arrays in C order.

    counters: uint16 (S, TRAINED_VALUES, TRAINED_NODES), for each value of the small contexts and
    each node the probability of bit 1 in 12 bits above 4 bits of confidence. node_weights: int16
    (S, TRAINED_NODES, INPUTS); class_weights: int16 (S, CLASS_SETS, INPUTS); in units of 2^-12.

    The network: embeddings int16 (S, K, E), within MAX_ACTIVATION; first_weights int16
    (S, M, PLACES * E), second_weights int16 (S, N, M) and output_weights int16 (S, K, N), within
    MAX_WEIGHT; first_biases int32 (S, S, M), the second axis by the number of stages of a grid
    less one; second_biases int32 (S, N) and output_biases int32 (S, K), within MAX_BIAS; shifts
    int32 (S, 3), in [0, 30]. Output 0 is the logit of any other code than 0; the others compare the
    other codes. Raises InvalidInputError.
    """

    codebook_size: int
    counters: NDArray[np.uint16]
    node_weights: NDArray[np.int16]
    class_weights: NDArray[np.int16]
    embeddings: NDArray[np.int16]
    first_weights: NDArray[np.int16]
    first_biases: NDArray[np.int32]
    second_weights: NDArray[np.int16]
    second_biases: NDArray[np.int32]
    output_weights: NDArray[np.int16]
    output_biases: NDArray[np.int32]
    shifts: NDArray[np.int32]

    def __post_init__(self) -> None:
        if not 1 <= self.codebook_size <= MAX_CODEBOOK_SIZE:
            raise InvalidInputError(
                f"codebook_size must be in [1, {MAX_CODEBOOK_SIZE}], got {self.codebook_size}"
            )
        for name in ("embeddings", "first_weights", "second_weights"):
            if getattr(self, name).ndim != 3:
                raise InvalidInputError(f"{name} must be of rank 3")
        size, stages = self.codebook_size, len(self.counters)
        dimensions = self.embeddings.shape[2]
        first, second = self.first_weights.shape[1], self.second_weights.shape[1]
        if max(PLACES * dimensions, first, second) > MAX_LENGTH:
            raise InvalidInputError(
                f"the network is too wide: {dimensions = } {first = } {second = }"
            )
        shapes: dict[str, tuple[tuple[int, ...], type[np.generic], int]] = {
            "counters": ((stages, TRAINED_VALUES, TRAINED_NODES), np.uint16, 65535),
            "node_weights": ((stages, TRAINED_NODES, INPUTS), np.int16, 32768),
            "class_weights": ((stages, CLASS_SETS, INPUTS), np.int16, 32768),
            "embeddings": ((stages, size, dimensions), np.int16, MAX_ACTIVATION),
            "first_weights": ((stages, first, PLACES * dimensions), np.int16, MAX_WEIGHT),
            "first_biases": ((stages, stages, first), np.int32, MAX_BIAS),
            "second_weights": ((stages, second, first), np.int16, MAX_WEIGHT),
            "second_biases": ((stages, second), np.int32, MAX_BIAS),
            "output_weights": ((stages, size, second), np.int16, MAX_WEIGHT),
            "output_biases": ((stages, size), np.int32, MAX_BIAS),
            "shifts": ((stages, 3), np.int32, 30),
        }
        for name, (shape, dtype, limit) in shapes.items():
            _require_array(getattr(self, name), dtype, shape, name, limit)
        if self.shifts.size and self.shifts.min() < 0:
            raise InvalidInputError(f"shifts must not be negative, got {self.shifts.min()}")

    @property
    def stages(self) -> int:
        """Number of stages that the tables are for."""
        return len(self.counters)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name, in the order in which the coder takes them."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "codebook_size"}


def _require_array(
    array: NDArray[np.generic],
    dtype: type[np.generic],
    shape: tuple[int, ...],
    name: str,
    limit: int,
) -> None:
    """Check type, shape, order and range of an array. Raises InvalidInputError."""
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise InvalidInputError(
            f"{name} must be {np.dtype(dtype).name} {shape} in C order, "
            f"got {array.dtype.name} {array.shape}"
        )
    largest = int(np.abs(array.astype(np.int64)).max(initial=0))
    if largest > limit:
        raise InvalidInputError(f"{name} must be within +-{limit}, got {largest}")
