"""What every prior is: codes to bytes and back, exactly."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec_kernels.entropy.start import MAX_CODEBOOK_SIZE
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["MAX_STAGES", "Prior", "check_codes"]

MAX_STAGES = 64

CodeArray = NDArray[np.int64]
Tensors = dict[str, NDArray[np.generic]]


class Prior(ABC):
    """An entropy model of the codes of a signal: how likely each code is, in integers only.

    A grid, the codes of one signal, is int64 (S, *positions), each code in [0, codebook_size); a
    prior that was fitted for more stages codes fewer as well. mode is the number that a stream
    writes for this kind of prior, name what it is called in a model file.

    >>> from vqcodec.priors import RawPrior, StaticPrior
    >>> codes = np.array([[0, 0, 0, 1, 0, 0, 0, 0] * 20])
    >>> for kind in RawPrior, StaticPrior:
    ...     payload = kind.fit([codes], codebook_size=2).encode(codes)
    ...     kind.mode, kind.name, len(payload)
    (0, 'raw', 20)
    (1, 'static', 11)
    """

    mode: ClassVar[int]
    name: ClassVar[str]

    def __init__(self, codebook_size: int, stages: int) -> None:
        if not 1 <= codebook_size <= MAX_CODEBOOK_SIZE:
            raise InvalidInputError(
                f"codebook_size must be in [1, {MAX_CODEBOOK_SIZE}], got {codebook_size}"
            )
        if not 1 <= stages <= MAX_STAGES:
            raise InvalidInputError(f"stages must be in [1, {MAX_STAGES}], got {stages}")
        self.codebook_size = codebook_size
        self.stages = stages

    @classmethod
    @abstractmethod
    def fit(
        cls,
        grids: Sequence[CodeArray],
        *,
        codebook_size: int,
        vectors: NDArray[np.floating] | None = None,
    ) -> Self:
        """Learn from grids, each int64 (S', *positions); the largest S' becomes S.

        Codes of a low rate differ from the first stages of a high rate, so grids of all the rates
        that a prior will meet make the best start.

        vectors: float (S, K, D), the codebooks that the codes point into, for priors that use them.
        """

    @abstractmethod
    def encode(self, codes: CodeArray, *, threads: int = 1) -> bytes:
        """Turn codes, int64 (S, *positions), into a payload. Raises InvalidInputError.

        threads: at most so many, where it takes long; the payload is the same.
        """

    @abstractmethod
    def decode(
        self,
        payload: bytes,
        shape: tuple[int, ...],
        *,
        stages: int | None = None,
        backend: str | None = None,
    ) -> CodeArray:
        """Turn a payload back into codes, int64 of this shape (S, *positions).

        stages: read the first so many of the S alone, int64 (stages, *positions); how the payload
        goes on and ends is then not looked at.
        backend "numpy" needs no compiled extension. Raises CorruptPayloadError for a payload that
        no encoder writes for this shape, InvalidInputError for a shape the prior cannot have.
        """

    def sample(
        self,
        shape: tuple[int, ...],
        *,
        seed: int,
        given: CodeArray | None = None,
        backend: str | None = None,
    ) -> CodeArray:
        """Draw codes of this shape (S, *positions), each as likely as the prior takes it to be.

        Drawn in the order of coding, by integers alone: a seed gives the same codes everywhere.

        Args:
            seed: whole, in [0, 2^64).
            given: int64 of this shape; codes that are known, and -1 for those to be drawn. What is
                drawn depends on the known codes that come before it.
            backend: "numpy" needs no compiled extension, and draws the same codes.

        Raises:
            InvalidInputError: a shape that the prior cannot have, or a given code out of range.

        >>> from vqcodec.priors import StaticPrior
        >>> prior = StaticPrior.fit([np.array([[0, 0, 0, 1, 0, 0, 0, 1]])], codebook_size=2)
        >>> prior.sample((1, 8), seed=1)
        array([[0, 1, 1, 0, 0, 1, 1, 0]])
        >>> prior.sample((1, 8), seed=1, given=np.array([[1, 1, 1, -1, -1, -1, -1, 1]]))
        array([[1, 1, 1, 0, 1, 1, 0, 1]])
        """
        self.check_shape(shape)
        if given is None:
            given = np.full(shape, -1, np.int64)
        if given.dtype != np.int64 or given.shape != shape:
            raise InvalidInputError(
                f"given must be int64 of the shape {shape}, got {given.dtype} {given.shape}"
            )
        if given.size and not -1 <= given.min() <= given.max() < self.codebook_size:
            raise InvalidInputError(
                f"given codes must be in [0, {self.codebook_size}) or -1, got {given.min()} to "
                f"{given.max()}"
            )
        return self._sample(given, seed, backend)

    @abstractmethod
    def _sample(self, given: CodeArray, seed: int, backend: str | None) -> CodeArray:
        """What `sample` gives, of checked codes; the seed is judged here."""

    @abstractmethod
    def stage_bits(self, codes: CodeArray) -> NDArray[np.float64]:
        """Return what each stage of the codes adds to the payload, in bits: float64 (S,)."""

    @abstractmethod
    def bits(self, codes: CodeArray) -> NDArray[np.float32]:
        """Return what each code adds to the payload, in bits: float32, of their shape."""

    @abstractmethod
    def tensors(self) -> Tensors:
        """Return everything that decoding depends on, as named integer arrays."""

    @classmethod
    @abstractmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild a prior from what tensors() returned. Raises InvalidInputError."""

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise InvalidInputError unless codes of this shape can belong to this prior."""
        if not shape or not 1 <= shape[0] <= self.stages or min(shape) < 0:
            raise InvalidInputError(f"shape must be (1 to {self.stages}, *positions), got {shape}")


def check_codes(codes: CodeArray, codebook_size: int) -> None:
    """Raise InvalidInputError unless codes are int64 (S, *positions) in [0, codebook_size).

    >>> check_codes(np.array([[0, 3, 1]]), codebook_size=3)
    Traceback (most recent call last):
    vqcodec_kernels.errors.InvalidInputError: codes must be in [0, 3), got 0 to 3
    """
    if codes.dtype != np.int64 or codes.ndim == 0:
        raise InvalidInputError(
            f"codes must be int64 (S, *positions), got {codes.dtype} {codes.shape}"
        )
    if codes.size and (codes.min() < 0 or codes.max() >= codebook_size):
        raise InvalidInputError(
            f"codes must be in [0, {codebook_size}), got {codes.min()} to {codes.max()}"
        )


def check_grids(grids: Sequence[CodeArray], codebook_size: int) -> int:
    """Return the largest number of stages that a grid has. Raises InvalidInputError."""
    for grid in grids:
        check_codes(grid, codebook_size)
    stages = max((len(grid) for grid in grids), default=0)
    if stages == 0:
        raise InvalidInputError(f"grids must have at least one stage, got {len(grids)} without any")
    return stages


def integer_tensor(
    tensors: Mapping[str, NDArray[np.generic]],
    name: str,
    dtype: type[np.integer],
    shape: tuple[int, ...],
) -> NDArray[np.integer]:
    """Return a named tensor of exactly this dtype and shape (-1: any). Raises InvalidInputError."""
    if name not in tensors:
        raise InvalidInputError(f"the prior lacks its tensor {name!r}")
    tensor = np.asarray(tensors[name])
    fits = tensor.ndim == len(shape) and all(
        want in (-1, have) for want, have in zip(shape, tensor.shape, strict=True)
    )
    if tensor.dtype != dtype or not fits:
        raise InvalidInputError(
            f"tensor {name!r} must be {np.dtype(dtype).name} {shape}, "
            f"got {tensor.dtype.name} {tensor.shape}"
        )
    return np.ascontiguousarray(tensor)
