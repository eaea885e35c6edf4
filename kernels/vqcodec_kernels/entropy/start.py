"""What the mixing model starts from: trained counters, weights, and a small integer network."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.errors import InvalidInputError

__all__ = [
    "CLASS_SETS",
    "INPUTS",
    "MAX_ACTIVATION",
    "MAX_BIAS",
    "MAX_CODEBOOK_SIZE",
    "MAX_LENGTH",
    "MAX_WEIGHT",
    "PLACES",
    "TRAINED_NODES",
    "TRAINED_VALUES",
    "MixingStart",
]

# Sizes that kernels/csrc/entropy fixes; the extension gives its own as SIZES.
TRAINED_VALUES = 175
TRAINED_NODES = 256
INPUTS = 42
CLASS_SETS = 84
PLACES = 9
MAX_ACTIVATION = 2047
MAX_CODEBOOK_SIZE = 4096
MAX_WEIGHT = 1023
MAX_BIAS = 1 << 28
# So many inputs of 2047 times weights of 1023, plus a bias, stay below 2^31.
MAX_LENGTH = 800


class _Array(NamedTuple):
    dtype: type[np.integer]
    shape: tuple[str | int, ...]
    low: int
    high: int


# Shapes are in the letters of MixingStart.
_ARRAYS = {
    "counters": _Array(np.uint16, ("S", TRAINED_VALUES, TRAINED_NODES), 0, 65535),
    "node_weights": _Array(np.int16, ("S", TRAINED_NODES, INPUTS), -32768, 32767),
    "class_weights": _Array(np.int16, ("S", CLASS_SETS, INPUTS), -32768, 32767),
    "embeddings": _Array(np.int16, ("S", "K", "E"), -MAX_ACTIVATION, MAX_ACTIVATION),
    "first_weights": _Array(np.int16, ("S", "M", "P"), -MAX_WEIGHT, MAX_WEIGHT),
    "first_biases": _Array(np.int32, ("S", "S", "M"), -MAX_BIAS, MAX_BIAS),
    "second_weights": _Array(np.int16, ("S", "N", "M"), -MAX_WEIGHT, MAX_WEIGHT),
    "second_biases": _Array(np.int32, ("S", "N"), -MAX_BIAS, MAX_BIAS),
    "output_weights": _Array(np.int16, ("S", "K", "N"), -MAX_WEIGHT, MAX_WEIGHT),
    "output_biases": _Array(np.int32, ("S", "K"), -MAX_BIAS, MAX_BIAS),
    "shifts": _Array(np.int32, ("S", 3), 0, 30),
}


@dataclass(frozen=True, kw_only=True)
class MixingStart:
    """Where the model of each stage starts, before it adapts to a grid. All arrays in C order.

    S stages, K codes, embeddings of E numbers, P = PLACES * E, layers of M and N units; P, M and N
    at most MAX_LENGTH. counters: for each value of the small contexts and each node the probability
    of bit 1 in 12 bits above 4 bits of confidence. node_weights, class_weights: in units of 2^-12.
    first_biases: the second axis is the number of stages of a grid, less one. shifts: how far the
    sums of each layer are shifted down. Output 0 is the logit of any other code than 0; the others
    compare the other codes. Raises InvalidInputError.

    >>> start = MixingStart.zeros(codebook_size=256, stages=8, dimensions=32, units=(128, 64))
    >>> start.first_weights.shape
    (8, 128, 288)
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
        for name, array in self.arrays().items():
            _check_type(name, array)
        units = (self.first_weights.shape[1], self.second_weights.shape[1])
        dimensions = self.embeddings.shape[2]
        if max(PLACES * dimensions, *units) > MAX_LENGTH:
            raise InvalidInputError(f"the network is too wide: {dimensions = } {units = }")
        sizes = _sizes(self.codebook_size, self.stages, dimensions, units)
        for name, array in self.arrays().items():
            _check_values(name, array, _shape(name, sizes))

    @classmethod
    def zeros(
        cls,
        *,
        codebook_size: int,
        stages: int,
        dimensions: int = 1,
        units: tuple[int, int] = (1, 1),
    ) -> Self:
        """Return a start of zeros, whose arrays are there to be filled. Raises InvalidInputError.

        dimensions: E; units: M and N. A network of zeros says nothing.
        """
        sizes = _sizes(codebook_size, stages, dimensions, units)
        arrays = {
            name: np.zeros(_shape(name, sizes), declared.dtype)
            for name, declared in _ARRAYS.items()
        }
        return cls(codebook_size=codebook_size, **arrays)

    @property
    def stages(self) -> int:
        """Number of stages that the start is for."""
        return len(self.counters)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _ARRAYS}


def _sizes(
    codebook_size: int, stages: int, dimensions: int, units: tuple[int, int]
) -> dict[str, int]:
    """What the letters of the shapes stand for."""
    first, second = units
    letters = {"S": stages, "K": codebook_size, "E": dimensions, "P": PLACES * dimensions}
    return letters | {"M": first, "N": second}


def _shape(name: str, sizes: dict[str, int]) -> tuple[int, ...]:
    return tuple(n if isinstance(n, int) else sizes[n] for n in _ARRAYS[name].shape)


def _check_type(name: str, array: NDArray[np.generic]) -> None:
    dtype, rank = np.dtype(_ARRAYS[name].dtype), len(_ARRAYS[name].shape)
    if array.dtype != dtype or array.ndim != rank:
        raise InvalidInputError(
            f"{name} must be {dtype.name} of rank {rank}, got {array.dtype.name} {array.shape}"
        )


def _check_values(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape or not array.flags.c_contiguous:
        raise InvalidInputError(f"{name} must be {shape} in C order, got {array.shape}")
    _, _, low, high = _ARRAYS[name]
    least, most = int(array.min(initial=0)), int(array.max(initial=0))
    if least < low or most > high:
        raise InvalidInputError(f"{name} must be in [{low}, {high}], got {least} to {most}")
