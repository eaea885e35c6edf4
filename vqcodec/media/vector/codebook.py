"""What codes of vectors stand for: sums of integers, a basis of integers, a mean."""

from __future__ import annotations

import hashlib
import math
import zlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike, NDArray

from vqcodec.errors import CorruptError
from vqcodec.media.packing import Reader, Writer, inflate
from vqcodec.media.vector.codebook_head import CodebookHead, pack_head, unpack_head
from vqcodec.priors.static import StaticPrior
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["Codebook", "pack_codebook", "unpack_codebook"]

_WHAT = "the codebook of the vectors"
_LARGEST_HALF = 65504.0


@dataclass(frozen=True, eq=False)
class Codebook:
    """A vector is `mean + unit * (sum over the stages of tables[stage, code]) @ basis`.

    mean: float32 (D,). basis: int8 (d, D). tables: int8 (S, K, d). frequencies: uint16 (S, K), see
    `StaticPrior`. unit: what 1 of the product of the integers is worth.
    """

    mean: NDArray[np.float32]
    basis: NDArray[np.int8]
    tables: NDArray[np.int8]
    frequencies: NDArray[np.uint16]
    unit: float

    @property
    def head(self) -> CodebookHead:
        """Its sizes."""
        stages, size, components = self.tables.shape
        return CodebookHead(
            dim=len(self.mean), components=components, stages=stages, size=size, unit=self.unit
        )

    @cached_property
    def prior(self) -> StaticPrior:
        """What codes are written by. Raises InvalidInputError."""
        return StaticPrior(self.frequencies)

    @cached_property
    def fingerprint(self) -> bytes:
        """The 8 bytes by which streams without a codebook of their own name this one.

        The first of a SHA-256 over its head, mean, basis, tables and frequencies, in this order,
        each in C order and little-endian.
        """
        out = Writer()
        pack_head(out, self.head)
        digest = hashlib.sha256(out.data)
        digest.update(self.mean.astype("<f4").tobytes())
        digest.update(self.basis.tobytes())
        digest.update(self.tables.tobytes())
        digest.update(self.frequencies.astype("<u2").tobytes())
        return digest.digest()[:8]

    def first(self, stages: int) -> Codebook:
        """Its first stages alone."""
        return replace(self, tables=self.tables[:stages], frequencies=self.frequencies[:stages])

    def sums(self, codes: NDArray[np.int64]) -> NDArray[np.int16]:
        """Of codes (S, n) the sums of their entries, (n, d): at most 64 * 127."""
        total = np.zeros((codes.shape[1], self.tables.shape[2]), np.int16)
        for table, chosen in zip(self.tables, codes, strict=True):
            total += table[chosen]
        return total

    def rebuild(
        self, codes: NDArray[np.int64], dtype: DTypeLike = np.float32
    ) -> NDArray[np.floating]:
        """The vectors (n, D) that codes (S, n) stand for, the same bits on every machine.

        dtype: float32, or float16, whose largest number stands for all beyond it.

        Products and sums are of integers below 2^53, which float64 adds in any order alike.
        """
        product = self.sums(codes).astype(np.float64) @ self._wide_basis
        product *= self.unit
        product += self.mean
        found: NDArray[np.floating] = product.astype(np.float32)
        if np.dtype(dtype) == np.float16:
            found = found.clip(-_LARGEST_HALF, _LARGEST_HALF).astype(np.float16)
        return found

    @cached_property
    def _wide_basis(self) -> NDArray[np.float64]:
        return self.basis.astype(np.float64)


def pack_codebook(book: Codebook) -> bytes:
    """Write a codebook."""
    out = Writer()
    pack_head(out, book.head)
    out.data += book.mean.astype("<f4").tobytes()
    # Component by component, whose entries are alike; low bytes of frequencies, then high ones.
    planes = book.frequencies.astype("<u2").reshape(-1, 1).view(np.uint8).T
    for numbers in (book.basis, book.tables.transpose(2, 0, 1), planes):
        out.part(_deflated(np.ascontiguousarray(numbers).tobytes()))
    return bytes(out.data)


def unpack_codebook(data: bytes) -> Codebook:
    """Read a codebook.

    Raises:
        CorruptError: none that an encoder writes.
    """
    read = Reader(data, _WHAT)
    head = unpack_head(read)
    mean = np.frombuffer(read.raw(4 * head.dim), "<f4").astype(np.float32)
    shapes = (
        (head.components, head.dim),
        (head.components, head.stages, head.size),
        (2, head.stages * head.size),
    )
    basis, tables, planes = (
        np.frombuffer(inflate(read.part(), math.prod(shape), _WHAT), np.int8).reshape(shape)
        for shape in shapes
    )
    read.finish()
    if not np.isfinite(mean).all():
        raise CorruptError(f"{_WHAT} has a mean that is not finite")
    pairs = np.ascontiguousarray(planes.T).view("<u2")
    book = Codebook(
        mean=mean,
        basis=basis,
        tables=np.ascontiguousarray(tables.transpose(1, 2, 0)),
        frequencies=pairs.reshape(head.stages, head.size).astype(np.uint16),
        unit=head.unit,
    )
    try:
        _ = book.prior
    except InvalidInputError as error:
        raise CorruptError(f"{_WHAT}: {error!s:.80}") from error
    return book


def _deflated(data: bytes) -> bytes:
    """A zlib stream, by Huffman codes alone where matches do not pay, as among noise."""
    streams = []
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY):
        packer = zlib.compressobj(9, strategy=strategy)
        streams.append(packer.compress(data) + packer.flush())
    return min(streams, key=len)
