"""Codes as plain binary numbers."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vqcodec.priors.base import CodeArray, Prior, Tensors, check_codes, check_grids, integer_tensor
from vqcodec_kernels.entropy.plain.random_bits import RandomBits
from vqcodec_kernels.entropy.symbols import check_first, check_seed
from vqcodec_kernels.errors import CorruptPayloadError

__all__ = ["RawPrior"]


class RawPrior(Prior):
    """Every code is as likely as any other: ceil(log2 K) bits each, most significant bit first.

    >>> prior = RawPrior(codebook_size=5, stages=1)
    >>> prior.encode(np.array([[4, 1, 0]])).hex()
    '8400'
    >>> prior.decode(bytes([0x84, 0]), shape=(1, 3))
    array([[4, 1, 0]])
    """

    mode: ClassVar[int] = 0
    name: ClassVar[str] = "raw"

    @classmethod
    def fit(
        cls,
        grids: Sequence[CodeArray],
        *,
        codebook_size: int,
        vectors: NDArray[np.floating] | None = None,
    ) -> Self:
        """Learn the number of stages, there is nothing else to learn."""
        return cls(codebook_size, check_grids(grids, codebook_size))

    def encode(self, codes: CodeArray, *, threads: int = 1) -> bytes:
        """Pack codes, int64 (S, *positions); the last byte is filled with zero bits."""
        check_codes(codes, self.codebook_size)
        self.check_shape(codes.shape)
        bits = codes.reshape(-1, 1) >> self._shifts() & 1
        return np.packbits(bits.astype(np.uint8)).tobytes()

    def decode(
        self,
        payload: bytes,
        shape: tuple[int, ...],
        *,
        stages: int | None = None,
        backend: str | None = None,
    ) -> CodeArray:
        """Unpack codes of this shape, or their first stages; backend changes nothing here.

        Raises CorruptPayloadError for another length, a fill that is not zero, or a code >= K.
        """
        self.check_shape(shape)
        shifts = self._shifts()
        count = int(np.prod(shape, dtype=object)) * len(shifts)
        if len(payload) != -(-count // 8):
            raise CorruptPayloadError(
                f"raw codes of shape {shape} take {-(-count // 8)} bytes, got {len(payload)}"
            )
        bits = np.unpackbits(np.frombuffer(payload, np.uint8))
        if bits[count:].any():
            raise CorruptPayloadError("bits set after the last code")
        read = (check_first(stages, shape[0], "stages"), *shape[1:])
        bits = bits[: count // shape[0] * read[0]]
        codes: CodeArray = (bits.reshape(*read, len(shifts)).astype(np.int64) << shifts).sum(-1)
        if codes.size and codes.max() >= self.codebook_size:
            raise CorruptPayloadError(f"code {codes.max()} >= codebook size {self.codebook_size}")
        return codes

    def stage_bits(self, codes: CodeArray) -> NDArray[np.float64]:
        """Return the same number of bits for every stage, float64 (S,)."""
        check_codes(codes, self.codebook_size)
        return np.full(len(codes), float(codes[0].size * len(self._shifts())))

    def bits(self, codes: CodeArray) -> NDArray[np.float32]:
        """Return the same number of bits for every code."""
        check_codes(codes, self.codebook_size)
        return np.full(codes.shape, len(self._shifts()), np.float32)

    def _sample(self, given: CodeArray, seed: int, backend: str | None) -> CodeArray:
        check_seed(seed)
        random, bits = RandomBits(seed), len(self._shifts())
        codes = given.copy()
        for place in np.ndindex(given.shape):
            while codes[place] < 0 or codes[place] >= self.codebook_size:
                # No codebook has more codes than bits can say by half: few draws are in vain.
                codes[place] = random.draw(bits) if bits else 0
        return codes

    def tensors(self) -> Tensors:
        """Return `size`: int64 (2,), codebook size and stages."""
        return {"size": np.array([self.codebook_size, self.stages], np.int64)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from tensors()."""
        size, stages = integer_tensor(tensors, "size", np.int64, (2,)).tolist()
        return cls(size, stages)

    def _shifts(self) -> NDArray[np.int64]:
        return np.arange((self.codebook_size - 1).bit_length(), dtype=np.int64)[::-1]
