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
    "check_counters",
    "require_array",
]

# Sizes that kernels/csrc/entropy/{contexts,mixing,network}.hpp fix.
TRAINED_VALUES = 175
TRAINED_NODES = 256
INPUTS = 42
CLASS_SETS = 84
PLACES = 9
MAX_ACTIVATION = 2047
MAX_WEIGHT = 1023
MAX_BIAS = 1 << 28
MAX_CODEBOOK_SIZE = 4096
# PLACES * dimensions and hidden times 2047 * 1023, plus a bias, stay below 2^31.
MAX_LENGTH = 800
_NO_ARRAYS = ("codebook_size", "zero_first")


@dataclass(frozen=True)
class MixingTables:
    """Where the model of each stage starts, before it adapts to a map. All arrays in C order.

    zero_first: whether the model asks for the zero code before all others, as node 0.

    counters: uint16 (S, TRAINED_VALUES, TRAINED_NODES), for each value of the small contexts and
    each node the probability of bit 1 in 12 bits above 4 bits of confidence. node_weights: int16
    (S, TRAINED_NODES, INPUTS); class_weights: int16 (S, CLASS_SETS, INPUTS); in units of 2^-12.

    The network, absent for E = 0: embeddings int16 (S, K, E), within MAX_ACTIVATION;
    hidden_weights int16 (S, M, PLACES * E) and output_weights int16 (S, K, M), within MAX_WEIGHT;
    hidden_biases int32 (S, M) and output_biases int32 (S, K), within MAX_BIAS; shifts int32
    (S, 2), in [0, 30]. Raises InvalidInputError.
    """

    codebook_size: int
    counters: NDArray[np.uint16]
    node_weights: NDArray[np.int16]
    class_weights: NDArray[np.int16]
    embeddings: NDArray[np.int16]
    hidden_weights: NDArray[np.int16]
    hidden_biases: NDArray[np.int32]
    output_weights: NDArray[np.int16]
    output_biases: NDArray[np.int32]
    shifts: NDArray[np.int32]
    zero_first: bool = False

    def __post_init__(self) -> None:
        check_counters(self.codebook_size, self.counters, self.node_weights, self.class_weights)
        size = self.codebook_size
        if self.embeddings.ndim != 3 or self.hidden_weights.ndim != 3:
            raise InvalidInputError("embeddings and hidden_weights must be of rank 3")
        stages, hidden = len(self.counters), self.hidden_weights.shape[1]
        dimensions = self.embeddings.shape[2]
        if max(PLACES * dimensions, hidden) > MAX_LENGTH:
            raise InvalidInputError(f"the network is too wide: {dimensions = }, {hidden = }")
        require_array(
            self.embeddings, np.int16, (stages, size, dimensions), "embeddings", MAX_ACTIVATION
        )
        length = PLACES * dimensions
        require_array(
            self.hidden_weights, np.int16, (stages, hidden, length), "hidden_weights", MAX_WEIGHT
        )
        require_array(self.hidden_biases, np.int32, (stages, hidden), "hidden_biases", MAX_BIAS)
        require_array(
            self.output_weights, np.int16, (stages, size, hidden), "output_weights", MAX_WEIGHT
        )
        require_array(self.output_biases, np.int32, (stages, size), "output_biases", MAX_BIAS)
        require_array(self.shifts, np.int32, (stages, 2), "shifts", 30)
        if self.shifts.size and self.shifts.min() < 0:
            raise InvalidInputError(f"shifts must not be negative, got {self.shifts.min()}")

    @property
    def stages(self) -> int:
        """Number of stages that the tables are for."""
        return len(self.counters)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name, in the order in which the coder takes them."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _NO_ARRAYS}


def check_counters(
    codebook_size: int,
    counters: NDArray[np.uint16],
    node_weights: NDArray[np.int16],
    class_weights: NDArray[np.int16],
) -> None:
    """Check what the models with and without a deep network have in common.

    Raises InvalidInputError.
    """
    if not 1 <= codebook_size <= MAX_CODEBOOK_SIZE:
        raise InvalidInputError(
            f"codebook_size must be in [1, {MAX_CODEBOOK_SIZE}], got {codebook_size}"
        )
    stages = len(counters)
    shape = (stages, TRAINED_VALUES, TRAINED_NODES)
    require_array(counters, np.uint16, shape, "counters", 65535)
    require_array(node_weights, np.int16, (stages, TRAINED_NODES, INPUTS), "node_weights")
    require_array(class_weights, np.int16, (stages, CLASS_SETS, INPUTS), "class_weights")


def require_array(
    array: NDArray[np.generic],
    dtype: type[np.generic],
    shape: tuple[int, ...],
    name: str,
    limit: int = 32768,
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
