"""One fixed frequency table for each stage."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec.priors.base import CodeArray, Prior, Tensors, check_codes, check_grids, integer_tensor
from vqcodec_kernels.entropy import symbols as entropy
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["StaticPrior"]

_BITS = 16
# A code that the training grids never hold is taken for one that they hold a fifth of a time.
_UNSEEN = 0.2


class StaticPrior(Prior):
    """Code k of stage s has the probability frequencies[s, k] / 2^16, wherever it stands.

    >>> prior = StaticPrior.fit([np.array([[0, 0, 0, 1, 0, 0, 0, 1]])], codebook_size=2)
    >>> prior.code_bits().round(2)
    array([[0.44, 1.93]], dtype=float32)
    >>> codes = np.array([[0, 1, 0, 0]])
    >>> payload = prior.encode(codes)
    >>> prior.decode(payload, codes.shape)
    array([[0, 1, 0, 0]])
    """

    mode: ClassVar[int] = 1
    name: ClassVar[str] = "static"

    def __init__(self, frequencies: NDArray[np.uint16]) -> None:
        """Take frequencies: uint16 (S, K), each >= 1, each row of sum 2^16.

        The one row that uint16 cannot hold, K = 1, is written as 65535. Raises InvalidInputError.
        """
        if frequencies.ndim != 2 or frequencies.dtype != np.uint16:
            raise InvalidInputError(
                f"frequencies must be uint16 (S, K), got {frequencies.dtype} {frequencies.shape}"
            )
        super().__init__(frequencies.shape[1], frequencies.shape[0])
        self._frequencies = frequencies
        sums = frequencies.sum(axis=1, dtype=np.int64) + (self.codebook_size == 1)
        if frequencies.min() < 1 or (sums != 1 << _BITS).any():
            raise InvalidInputError(
                f"each row of frequencies must be positive and sum to {1 << _BITS}, got {sums}"
            )
        self._cumulative = np.zeros((self.stages, self.codebook_size + 1), np.uint32)
        self._cumulative[:, 1:] = frequencies.cumsum(axis=1, dtype=np.uint32)
        self._cumulative[:, -1] = 1 << _BITS

    @classmethod
    def fit(
        cls,
        grids: Sequence[CodeArray],
        *,
        codebook_size: int,
        vectors: NDArray[np.floating] | None = None,
    ) -> Self:
        """Count codes: probabilities follow the counts, no code is impossible."""
        stages = check_grids(grids, codebook_size)
        rows = []
        for stage in range(stages):
            seen = np.concatenate([grid[stage].ravel() for grid in grids if stage < len(grid)])
            rows.append(
                _frequencies(
                    np.bincount(seen, minlength=codebook_size).astype(np.float64) + _UNSEEN
                )
            )
        return cls(np.stack(rows))

    def encode(self, codes: CodeArray, *, threads: int = 1) -> bytes:
        """Code each stage through its own table."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        rows = codes.reshape(len(codes), -1)
        return entropy.encode_symbols(rows, self._cumulative[: len(codes)], bits=_BITS)

    def decode(
        self,
        payload: bytes,
        shape: tuple[int, ...],
        *,
        stages: int | None = None,
        backend: str | None = None,
    ) -> CodeArray:
        """Read codes of this shape, or their first stages.

        Raises CorruptPayloadError, InvalidInputError.
        """
        self.check_shape(shape)
        columns = int(np.prod(shape[1:], dtype=object))
        tables = self._cumulative[: shape[0]]
        rows = entropy.decode_symbols(
            payload, tables, bits=_BITS, columns=columns, rows=stages, backend=backend
        )
        return rows.reshape(len(rows), *shape[1:])

    def _sample(self, given: CodeArray, seed: int, backend: str | None) -> CodeArray:
        rows = entropy.sample_symbols(
            given.reshape(len(given), -1),
            self._cumulative[: len(given)],
            bits=_BITS,
            seed=seed,
            backend=backend,
        )
        return rows.reshape(given.shape)

    def code_bits(self) -> NDArray[np.float32]:
        """Return float32 (S, K): the cost of each code in bits, for a rate-aware search."""
        width = np.diff(self._cumulative.astype(np.float64), axis=1)
        return (_BITS - np.log2(width)).astype(np.float32)

    def stage_bits(self, codes: CodeArray) -> NDArray[np.float64]:
        """Return the information in each stage, float64 (S,)."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        bits = self.code_bits().astype(np.float64)
        return np.array([bits[s][stage].sum() for s, stage in enumerate(codes)])

    def bits(self, codes: CodeArray) -> NDArray[np.float32]:
        """Return the information in each code, float32."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        costs = self.code_bits()
        return np.stack([costs[s][stage] for s, stage in enumerate(codes)])

    def tensors(self) -> Tensors:
        """Return `frequencies`: uint16 (S, K)."""
        return {"frequencies": self._frequencies}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from tensors()."""
        return cls(integer_tensor(tensors, "frequencies", np.uint16, (-1, -1)).astype(np.uint16))


def _frequencies(counts: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Scale positive counts, (K,), to integers >= 1 of sum 2^16 (one count: 65535)."""
    spare = (1 << _BITS) - len(counts)
    ideal = counts / counts.sum() * spare
    whole = np.floor(ideal).astype(np.int64)
    # The units that rounding down left over go to the largest remainders, the first of equals.
    short = spare - int(whole.sum())
    whole[np.argsort(whole - ideal, kind="stable")[:short]] += 1
    frequencies: NDArray[np.uint16] = np.minimum(whole + 1, (1 << _BITS) - 1).astype(np.uint16)
    return frequencies
