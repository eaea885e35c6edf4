"""Codes to bytes and back by adaptive context mixing over the bits of each code.

What the model is stands in kernels/csrc/entropy/mixing.hpp; all of it is integers, so the same
payload gives the same codes on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels import entropy_mixing_numpy
from vqcodec_kernels.entropy import check_array, choose_decoder, native
from vqcodec_kernels.errors import CorruptPayloadError, InvalidInputError

__all__ = [
    "CLASS_SETS",
    "INPUTS",
    "TRAINED_NODES",
    "TRAINED_VALUES",
    "MixingTables",
    "count_mixing",
    "decode_mixing",
    "encode_mixing",
    "learn_mixing",
]

TRAINED_VALUES = 175
TRAINED_NODES = 256
INPUTS = 42
CLASS_SETS = 84
MAX_CODEBOOK_SIZE = 4096

CodeArray = NDArray[np.int64]


@dataclass(frozen=True)
class MixingTables:
    """Where the model of each stage starts, before it adapts to a map.

    counters: uint16 (S, TRAINED_VALUES, TRAINED_NODES), for each value of the small contexts and
    each node the probability of bit 1 in 12 bits above 4 bits of confidence. node_weights: int16
    (S, TRAINED_NODES, INPUTS); class_weights: int16 (S, CLASS_SETS, INPUTS); in units of 2^-12.
    Raises InvalidInputError.
    """

    codebook_size: int
    counters: NDArray[np.uint16]
    node_weights: NDArray[np.int16]
    class_weights: NDArray[np.int16]

    def __post_init__(self) -> None:
        if not 1 <= self.codebook_size <= MAX_CODEBOOK_SIZE:
            raise InvalidInputError(
                f"codebook_size must be in [1, {MAX_CODEBOOK_SIZE}], got {self.codebook_size}"
            )
        check_array(self.counters, np.uint16, 3, "counters")
        check_array(self.node_weights, np.int16, 3, "node_weights")
        check_array(self.class_weights, np.int16, 3, "class_weights")
        shapes = {
            self.counters.shape[1:]: (TRAINED_VALUES, TRAINED_NODES),
            self.node_weights.shape[1:]: (TRAINED_NODES, INPUTS),
            self.class_weights.shape[1:]: (CLASS_SETS, INPUTS),
        }
        stages = {len(self.counters), len(self.node_weights), len(self.class_weights)}
        if any(have != want for have, want in shapes.items()) or len(stages) != 1:
            raise InvalidInputError(
                f"tables must be (S, ...) as documented, got {shapes}, {stages}"
            )

    @property
    def stages(self) -> int:
        """Number of stages that the tables are for."""
        return len(self.counters)

    def arrays(self) -> tuple[NDArray[np.uint16], NDArray[np.int16], NDArray[np.int16]]:
        """Return the arrays in the order in which the coder takes them."""
        return self.counters, self.node_weights, self.class_weights


def encode_mixing(codes: CodeArray, tables: MixingTables) -> bytes:
    """Code a grid of codes, int64 (S, H, W), each in [0, codebook_size), S <= tables.stages.

    Raises InvalidInputError, BackendError.
    """
    _check_codes(codes, tables)
    payload: bytes = native().encode_mixing(
        np.ascontiguousarray(codes), tables.codebook_size, *tables.arrays()
    )
    return payload


def decode_mixing(
    payload: bytes,
    shape: tuple[int, int, int],
    tables: MixingTables,
    *,
    backend: str | None = None,
) -> CodeArray:
    """Read back what encode_mixing wrote: int64 (S, H, W) of this shape.

    Raises CorruptPayloadError for a payload that encode_mixing does not write for any codes of
    this shape, InvalidInputError, BackendError.
    """
    if min(shape) < 0 or shape[0] > tables.stages:
        raise InvalidInputError(f"shape must be (0 to {tables.stages}, H, W), got {shape}")
    # A decision costs at least 2^-16.0 bits; refuse before memory is taken.
    if tables.codebook_size > 1 and shape[0] * shape[1] * shape[2] > (8 * len(payload) + 40) << 16:
        raise CorruptPayloadError(f"{len(payload)} bytes cannot hold codes of shape {shape}")
    codes: CodeArray = choose_decoder(backend, entropy_mixing_numpy).decode_mixing(
        bytes(payload), *shape, tables.codebook_size, *tables.arrays()
    )
    return codes


def count_mixing(maps: Sequence[CodeArray], *, codebook_size: int, stage: int) -> NDArray[np.int64]:
    """Count how often each bit follows each value of the small contexts, over all maps.

    maps: each int64 (S, H, W). Returns int64 (TRAINED_VALUES, TRAINED_NODES, 2).
    """
    counts: NDArray[np.int64] = native().count_mixing(list(maps), codebook_size, stage)
    return counts


def learn_mixing(
    maps: Sequence[CodeArray], tables: MixingTables, *, stage: int
) -> tuple[float, NDArray[np.int16], NDArray[np.int16]]:
    """Let the mixers of one stage learn over all maps, each started from the trained counters.

    Returns the cost of the maps in bits, and the weights after the last map:
    int16 (TRAINED_NODES, INPUTS) and int16 (CLASS_SETS, INPUTS).
    """
    for codes in maps:
        _check_codes(codes, tables)
    bits, by_node, by_class = native().learn_mixing(
        list(maps), stage, tables.codebook_size, *tables.arrays()
    )
    return bits, by_node, by_class


def _check_codes(codes: CodeArray, tables: MixingTables) -> None:
    check_array(codes, np.int64, 3, "codes")
    if len(codes) > tables.stages:
        raise InvalidInputError(f"codes have {len(codes)} stages, tables {tables.stages}")
    if codes.size and (codes.min() < 0 or codes.max() >= tables.codebook_size):
        raise InvalidInputError(
            f"codes must be in [0, {tables.codebook_size}), got {codes.min()} to {codes.max()}"
        )
