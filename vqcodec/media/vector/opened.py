"""Vectors in a stream: searched by their codes, and rebuilt where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Stream
from vqcodec.choices import check_whole
from vqcodec.errors import CorruptError, InputError, UnknownModelError, kernels_refuse
from vqcodec.media.vector.codebook import Codebook, unpack_codebook
from vqcodec.media.vector.description import unpack_description
from vqcodec.media.vector.letters import CODEBOOK, DESCRIPTION
from vqcodec.media.vector.search import METRICS, Nearest, nearest_vectors

__all__ = ["OpenVectors"]

Progress = Callable[[int, int], None]


class OpenVectors:
    """The vectors of a stream, N of D numbers, in the memory of their codes.

    Codes are decoded when they are first needed, block by block, and kept; vectors are not.

    Attributes:
        codebook: what codes stand for. description: dtype and mean error, see `Description`.
    """

    def __init__(self, stream: Stream, codebook: Codebook | None = None) -> None:
        """Take a stream that was read and checked.

        Raises:
            UnknownModelError: it names a codebook that is not the one given, or none was given.
            CorruptError: its parts contradict each other.
        """
        header = stream.header
        payload, said = stream.payload(CODEBOOK), stream.payload(DESCRIPTION)
        if payload is not None:
            codebook = unpack_codebook(payload)
        elif codebook is None or codebook.fingerprint != header.fingerprint:
            has = "" if codebook is None else f", not {codebook.fingerprint.hex()}"
            raise UnknownModelError(
                f"these vectors need the codebook {header.fingerprint.hex()}{has}: "
                "give its file as codebook"
            )
        if header.stages > len(codebook.tables) or header.extent[1] != len(codebook.mean):
            raise CorruptError(
                f"vectors of {header.extent[1]} numbers in {header.stages} stages, the codebook "
                f"is of {len(codebook.mean)} in {len(codebook.tables)}"
            )
        self.codebook = codebook.first(header.stages)
        self.description = unpack_description(said if said is not None else b"")
        self._stream = stream
        kind = np.uint8 if self.codebook.tables.shape[1] <= 256 else np.uint16
        self._codes = np.zeros((header.stages, len(self)), kind)
        self._known = np.zeros(header.regions, np.bool_)

    def __len__(self) -> int:
        return self._stream.header.extent[0]

    @property
    def dim(self) -> int:
        """D, the numbers of a vector."""
        return self._stream.header.extent[1]

    def codes(self, progress: Progress | None = None) -> NDArray[np.integer[Any]]:
        """All codes, uint8 or uint16 (S, N): integers from the bytes on, the same everywhere.

        Raises:
            CorruptError: a payload that no encoder writes.
        """
        for number in range(len(self._known)):
            self._know(number)
            if progress is not None:
                progress(number + 1, len(self._known))
        return self._codes

    def rebuild(self, rows: Any = None) -> NDArray[Any]:
        """Vectors of these numbers, in their order, in the dtype that was encoded; all by default.

        rows: whole numbers in [-N, N), of which only the blocks that they are in are decoded.

        Raises:
            InputError: no such row. CorruptError: as `codes`.
        """
        if rows is None:
            numbers = np.arange(len(self))
        else:
            numbers = np.atleast_1d(np.asarray(rows))
            if numbers.size == 0:
                numbers = numbers.astype(np.int64)
            if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
                raise InputError(f"rows are whole numbers in a row, got {rows!r:.60}")
            wrong = (numbers < -len(self)) | (numbers >= len(self))
            if wrong.any():
                raise InputError(f"there are {len(self)} vectors, no number {numbers[wrong][0]}")
            numbers = numbers.astype(np.int64) % len(self)
        for number in np.unique(numbers // self.description.block):
            self._know(int(number))
        out = np.empty((len(numbers), self.dim), self.description.dtype)
        for start in range(0, len(numbers), _REBUILT):
            part = numbers[start : start + _REBUILT]
            codes = self._codes[:, part].astype(np.int64)
            out[start : start + _REBUILT] = self.codebook.rebuild(codes, out.dtype)
        return out

    def search(self, queries: Any, k: int = 10, *, metric: str = "inner_product") -> Nearest:
        """The k nearest vectors of each query, by tables of what each code adds.

        queries: floats (Q, D), or (D,) for one. k: 1 to N. metric: "inner_product" or "cosine",
        of which the largest are found, or "l2", squared distances, the smallest. Queries are not
        rounded (Jegou, Douze and Schmid 2011, asymmetric distances).

        Returns: `scores` float32 (Q, k), the nearest first, and `rows` int64 (Q, k). Of equal
        ones any may come.

        Raises:
            InputError: queries of another D or not finite, another metric or k.
            CorruptError: as `codes`.
        """
        asked = np.atleast_2d(np.asarray(queries))
        if asked.dtype.kind not in "fiu" or asked.ndim != 2 or asked.shape[1] != self.dim:
            raise InputError(
                f"queries are floats (Q, {self.dim}), got {asked.dtype} {asked.shape!s:.60}"
            )
        asked = asked.astype(np.float32)
        if not np.isfinite(asked).all():
            raise InputError(f"query {np.argwhere(~np.isfinite(asked))[0][0]} is not finite")
        check_whole("k", k, 1, len(self))
        if metric not in METRICS:
            raise InputError(f"metric must be one of {', '.join(METRICS)}, got {metric!r:.40}")
        norms = None if metric == "inner_product" else self._norms
        return nearest_vectors(self.codebook, self.codes(), norms, asked, k, metric)

    @cached_property
    def _norms(self) -> NDArray[np.float32]:
        """Squared lengths of the rebuilt vectors, (N,)."""
        codes, book = self.codes(), self.codebook
        wide = book.basis.astype(np.float32)
        inner, cross = wide @ wide.T, 2 * (wide @ book.mean)
        base, unit = float(book.mean @ book.mean), np.float32(book.unit)
        out = np.empty(len(self), np.float32)
        for start in range(0, len(self), _REBUILT):
            sums = book.sums(codes[:, start : start + _REBUILT].astype(np.int64))
            y = sums.astype(np.float32) * unit
            out[start : start + _REBUILT] = np.einsum("nd,nd->n", y @ inner + cross, y) + base
        return np.maximum(out, 0)

    @kernels_refuse()
    def _know(self, number: int) -> None:
        """Decode a block unless that was done."""
        if self._known[number]:
            return
        block = self.description.block
        start = number * block
        stop = min(start + block, len(self))
        payload = self._stream.codes_of(number)
        if payload is None:
            raise CorruptError(f"block {number} of the vectors is not there")
        self._codes[:, start:stop] = self.codebook.prior.decode(
            payload, (len(self._codes), stop - start)
        )
        self._known[number] = True


# Vectors whose components are in memory at a time.
_REBUILT = 4096
