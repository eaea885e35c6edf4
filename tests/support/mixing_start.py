"""Starts and codes of arithmetic progressions for the mixing coder: the same everywhere."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.start import (
    CLASS_SETS,
    INPUTS,
    PLACES,
    TRAINED_NODES,
    TRAINED_VALUES,
    MixingStart,
)


def progression(step: int, shape: tuple[int, ...], limit: int, dtype: type[np.generic]) -> Any:
    count = int(np.prod(shape))
    values = (np.arange(count, dtype=np.int64) * step + 31) % (2 * limit + 1) - limit
    return values.reshape(shape).astype(dtype)


def make_start(
    size: int,
    stages: int,
    dimensions: int = 3,
    units: tuple[int, int] = (6, 5),
    step: int = 7919,
) -> MixingStart:
    """A start of arithmetic progressions, so that it is the same numbers everywhere."""
    ramp = partial(progression, step)
    first, second = units
    return MixingStart(
        codebook_size=size,
        counters=ramp((stages, TRAINED_VALUES, TRAINED_NODES), 32767, np.uint16),
        node_weights=ramp((stages, TRAINED_NODES, INPUTS), 600, np.int16),
        class_weights=ramp((stages, CLASS_SETS, INPUTS), 600, np.int16),
        embeddings=ramp((stages, size, dimensions), 2047, np.int16),
        first_weights=ramp((stages, first, PLACES * dimensions), 1023, np.int16),
        first_biases=ramp((stages, stages, first), 1 << 21, np.int32),
        second_weights=ramp((stages, second, first), 1023, np.int16),
        second_biases=ramp((stages, second), 1 << 19, np.int32),
        output_weights=ramp((stages, size, second), 1023, np.int16),
        output_biases=ramp((stages, size), 1 << 18, np.int32),
        shifts=np.tile(np.array([12, 10, 9], np.int32), (stages, 1)),
    )


def make_codes(shape: tuple[int, ...], size: int) -> NDArray[np.int64]:
    """Codes (S, *positions), of one to three axes."""
    stage, *slices, y, x = (
        np.indices(shape) if len(shape) > 2 else np.indices((shape[0], 1, shape[1]))
    )
    codes = ((x * x + 3 * y) // 5 + stage + 7 * sum(slices)) % size
    return np.asarray(codes, np.int64).reshape(shape)
