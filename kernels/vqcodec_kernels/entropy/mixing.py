"""Codes to bytes and back by adaptive context mixing over the bits of each code.

What the model is stands in kernels/csrc/entropy/mixing.hpp; all of it is integers, so the same
payload gives the same codes on every machine.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.plain import mixing as entropy_mixing_numpy
from vqcodec_kernels.entropy.start import MixingStart
from vqcodec_kernels.entropy.symbols import (
    check_capacity,
    check_first,
    check_seed,
    choose_decoder,
    native,
)
from vqcodec_kernels.errors import InvalidInputError

__all__ = [
    "cost_mixing",
    "count_mixing",
    "decode_mixing",
    "encode_mixing",
    "learn_mixing",
    "sample_mixing",
]

CodeArray = NDArray[np.int64]
# Of codes: the axis of stages, and one to three of positions.
_RANKS = (2, 3, 4)


def encode_mixing(codes: CodeArray, start: MixingStart, *, threads: int = 1) -> bytes:
    """Code a grid of codes, int64 (S, *positions), each in [0, codebook_size).

    S <= start.stages; positions have one to three axes.

    threads: how many stages are worked on at a time; the bytes are the same. Each takes up to
    20 MB. Raises InvalidInputError, BackendError.

    >>> start = MixingStart.zeros(codebook_size=4, stages=1)
    >>> payload = encode_mixing(np.array([[[2, 0, 0], [1, 0, 0]]]), start)
    >>> decode_mixing(payload, (1, 2, 3), start)
    array([[[2, 0, 0],
            [1, 0, 0]]])
    """
    _check_codes(codes, start)
    if threads < 1:
        raise InvalidInputError(f"threads must be at least 1, got {threads}")
    payload: bytes = native().encode_mixing(np.ascontiguousarray(codes), _native(start), threads)
    return payload


def decode_mixing(
    payload: bytes,
    shape: tuple[int, ...],
    start: MixingStart,
    *,
    stages: int | None = None,
    backend: str | None = None,
) -> CodeArray:
    """Read back what encode_mixing wrote: int64 of this shape, (S, *positions).

    stages: read the first so many alone, (stages, *positions), which takes their share of the
    time; what follows them in the payload is not looked at.

    Raises CorruptPayloadError for a payload that encode_mixing does not write for any codes of
    this shape, InvalidInputError, BackendError.
    """
    if len(shape) not in _RANKS or min(shape) < 0 or shape[0] > start.stages:
        raise InvalidInputError(
            f"shape must be (0 to {start.stages}, *positions) of one to three axes, got {shape}"
        )
    stages = check_first(stages, shape[0], "stages")
    if start.codebook_size > 1:
        check_capacity(payload, math.prod(shape))
    decoder = choose_decoder(backend, entropy_mixing_numpy)
    if decoder is entropy_mixing_numpy:
        return entropy_mixing_numpy.decode_mixing(bytes(payload), shape, start, stages)
    codes: CodeArray = decoder.decode_mixing(bytes(payload), shape, _native(start), stages)
    return codes


def cost_mixing(codes: CodeArray, start: MixingStart) -> NDArray[np.float32]:
    """What each code adds to the payload that encode_mixing writes, in bits: float32, of its shape.

    codes: as for encode_mixing. Raises InvalidInputError, BackendError.

    >>> start = MixingStart.zeros(codebook_size=2, stages=1)
    >>> cost_mixing(np.array([[[1, 1, 1]]]), start).round(1)
    array([[[1., 1., 1.]]], dtype=float32)
    """
    _check_codes(codes, start)
    bits: NDArray[np.float32] = native().cost_mixing(np.ascontiguousarray(codes), _native(start))
    return bits


def sample_mixing(
    given: CodeArray, start: MixingStart, *, seed: int, backend: str | None = None
) -> CodeArray:
    """Draw codes as likely as encode_mixing takes them to be.

    given: int64 (S, *positions), each below codebook_size; those below 0 are drawn, in the order of
    coding, and the others stay: what is drawn depends on those before it alone. seed: in [0, 2^64);
    the same one draws the same codes everywhere. Raises InvalidInputError, BackendError.

    >>> start = MixingStart.zeros(codebook_size=4, stages=1)
    >>> sample_mixing(np.array([[[-1, -1, 3], [-1, 2, -1]]]), start, seed=3)
    array([[[1, 0, 3],
            [2, 2, 1]]])
    """
    _check_shape(given, start)
    check_seed(seed)
    if given.size and given.max() >= start.codebook_size:
        raise InvalidInputError(f"codes must be below {start.codebook_size}, got {given.max()}")
    given = np.ascontiguousarray(given)
    sampler = choose_decoder(backend, entropy_mixing_numpy)
    if sampler is entropy_mixing_numpy:
        return entropy_mixing_numpy.sample_mixing(given, start, seed)
    codes: CodeArray = sampler.sample_mixing(given, _native(start), seed)
    return codes


def count_mixing(
    grids: Sequence[CodeArray], *, codebook_size: int, stage: int
) -> NDArray[np.int64]:
    """Count how often each bit follows each value of the small contexts, over all grids.

    grids: each int64 (S, *positions), with one to three axes of positions. Returns int64
    (TRAINED_VALUES, TRAINED_NODES, 2).
    """
    counts: NDArray[np.int64] = native().count_mixing(
        [np.ascontiguousarray(codes) for codes in grids], codebook_size, stage
    )
    return counts


def learn_mixing(
    grids: Sequence[CodeArray], start: MixingStart, *, stage: int
) -> tuple[float, NDArray[np.int16], NDArray[np.int16]]:
    """Let the mixers of one stage learn over all grids, each started from the trained counters.

    Returns the cost of the grids in bits, and the weights after the last grid:
    int16 (TRAINED_NODES, INPUTS) and int16 (CLASS_SETS, INPUTS).
    """
    for codes in grids:
        _check_codes(codes, start)
    bits, by_node, by_class = native().learn_mixing(
        [np.ascontiguousarray(codes) for codes in grids], _native(start), stage
    )
    return bits, by_node, by_class


def _check_shape(codes: CodeArray, start: MixingStart) -> None:
    if codes.dtype != np.int64 or codes.ndim not in _RANKS:
        raise InvalidInputError(
            f"codes must be int64 (S, *positions) of one to three axes, "
            f"got {codes.dtype.name} {codes.shape}"
        )
    if len(codes) > start.stages:
        raise InvalidInputError(f"codes have {len(codes)} stages, the model {start.stages}")


def _check_codes(codes: CodeArray, start: MixingStart) -> None:
    _check_shape(codes, start)
    if codes.size and (codes.min() < 0 or codes.max() >= start.codebook_size):
        raise InvalidInputError(
            f"codes must be in [0, {start.codebook_size}), got {codes.min()} to {codes.max()}"
        )


def _native(start: MixingStart) -> Any:
    return native().MixingStart(start.codebook_size, start.arrays())
