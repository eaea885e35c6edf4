"""What the mixing model with the deep network starts from."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.tables import (
    MAX_ACTIVATION,
    MAX_BIAS,
    MAX_LENGTH,
    MAX_WEIGHT,
    PLACES,
    check_counters,
    require_array,
)
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["DeepTables"]


@dataclass(frozen=True)
class DeepTables:
    """Where the model of each stage starts, before it adapts to a map. All arrays in C order.

    counters, node_weights and class_weights are those of MixingTables with the zero code first.

    The network: embeddings int16 (S, K, E), within MAX_ACTIVATION; first_weights int16
    (S, M, PLACES * E), second_weights int16 (S, N, M) and output_weights int16 (S, K, N), within
    MAX_WEIGHT; first_biases int32 (S, S, M), the second axis by the number of stages of a map less
    one; second_biases int32 (S, N) and output_biases int32 (S, K), within MAX_BIAS; shifts int32
    (S, 3), in [0, 30]. Output 0 is the logit of any other code than 0; the others compare the other
    codes. Raises InvalidInputError.
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
        check_counters(self.codebook_size, self.counters, self.node_weights, self.class_weights)
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
            require_array(getattr(self, name), dtype, shape, name, limit)
        if self.shifts.size and self.shifts.min() < 0:
            raise InvalidInputError(f"shifts must not be negative, got {self.shifts.min()}")

    @property
    def stages(self) -> int:
        """Number of stages that the tables are for."""
        return len(self.counters)

    @property
    def zero_first(self) -> bool:
        """The model asks for the zero code before all others."""
        return True

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name, in the order in which the coder takes them."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "codebook_size"}
