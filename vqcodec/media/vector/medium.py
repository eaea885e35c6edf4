"""Vectors as the registry sees them: coded by a codebook of their own, see `coder.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import PRIORS, Chunk, Header, Limits, Stream
from vqcodec.errors import CorruptError, InputError, LimitError
from vqcodec.media.modelless import Modelless
from vqcodec.media.vector.codebook_head import head_of, most_stages
from vqcodec.media.vector.description import unpack_description
from vqcodec.media.vector.letters import CODEBOOK, DESCRIPTION, LETTERS, NUMBER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vqcodec.media.vector.signal import Vectors

__all__ = ["MEDIUM", "VectorMedium"]


class VectorMedium(Modelless):
    """Rows of numbers without an order: what `Medium` asks for, but for models."""

    number = NUMBER
    name = "vector"
    axes: tuple[str, ...] = ("vectors", "numbers")
    letters = LETTERS
    # The files are those of arrays: a command says which of the two it means.
    suffixes: tuple[str, ...] = ()
    formats: Mapping[str, str] = {".npy": "npy"}

    def recognises(self, head: bytes) -> bool:
        """Never: a file of vectors is that of an array."""
        return False

    def open(self, path: str, limits: Limits) -> Vectors | None:
        """The vectors in a file, mapped into memory."""
        from vqcodec.media.npy import map_npy
        from vqcodec.media.vector.signal import Vectors

        values = map_npy(path, limits)
        return None if values is None else Vectors(values)

    def read(self, data: bytes, limits: Limits) -> Vectors:
        """The vectors in the bytes of a file."""
        from vqcodec.media.npy import read_npy
        from vqcodec.media.vector.signal import Vectors

        return Vectors(read_npy(data, limits))

    def write(self, signal: Vectors, *, format: str) -> bytes:
        """The bytes of a .npy file."""
        from vqcodec.media.npy import write_npy

        return write_npy(signal.values)

    def wrap(self, thing: Any) -> Vectors:
        """The vectors in `Vectors`, an array, or what NumPy makes one of."""
        import numpy as np

        from vqcodec.media.vector.signal import Vectors

        if isinstance(thing, Vectors):
            return thing
        if thing is None or isinstance(thing, str | bytes):
            raise InputError(f"no vectors: {thing!r:.40}")
        return Vectors(thing if isinstance(thing, np.ndarray) else np.asarray(thing))

    def unwrap(self, signal: Vectors) -> NDArray[Any]:
        """The numbers (N, D)."""
        return signal.values

    def check(self, header: Header, side_chunks: Sequence[Chunk]) -> None:
        """Raise CorruptError if header, description and codebook contradict each other.

        And LimitError for so many stages that the codes take more memory than the numbers, which
        the limits are for.
        """
        payloads = {chunk.type: chunk.payload for chunk in side_chunks}
        if DESCRIPTION not in payloads:
            raise CorruptError("vectors lack their description")
        block = unpack_description(payloads[DESCRIPTION]).block
        if (len(header.extent), header.channels, PRIORS[header.prior]) != (2, 1, "static"):
            raise CorruptError(
                f"vectors have two axes, one channel and static codes, the header says "
                f"{len(header.extent)}, {header.channels} and {PRIORS[header.prior]}"
            )
        if header.stages > (most := most_stages(header.extent[1])):
            raise LimitError(
                f"{header.stages} stages of codes for vectors of {header.extent[1]} numbers, more "
                f"than the limit of {most}"
            )
        if header.regions != -(-header.extent[0] // block):
            raise CorruptError(
                f"{header.extent[0]} vectors in blocks of {block}, the header says "
                f"{header.regions} regions"
            )
        if (CODEBOOK in payloads) == any(header.fingerprint):
            raise CorruptError("vectors have a codebook inside or name one, not both nor neither")
        if CODEBOOK in payloads:
            head = head_of(payloads[CODEBOOK])
            if (head.dim, head.stages) != (header.extent[1], header.stages):
                raise CorruptError(
                    f"a codebook of {head.dim} numbers and {head.stages} stages, the header says "
                    f"{header.extent[1]} and {header.stages}"
                )

    def describe(self, stream: Stream, *, size: int, limits: Limits) -> dict[str, Any]:
        """Bytes of a vector, dtype, what was reached, and what codes there are."""
        payload, book = stream.payload(DESCRIPTION), stream.payload(CODEBOOK)
        said = unpack_description(payload if payload is not None else b"")
        facts = {
            "bytes_per_vector": size / stream.header.extent[0],
            "dtype": said.dtype,
            "mean_squared_error": said.error,
            "relative_error": said.error / said.spread if said.spread else 0.0,
            "codebook_bytes": 0 if book is None else len(book),
        }
        if book is not None:
            head = head_of(book)
            facts |= {"codes_of_a_stage": head.size, "components": head.components}
        return facts

    def size_text(self, extent: tuple[int, ...], channels: int | None = None) -> str:
        """How many, of how many numbers."""
        return " x ".join(map(str, extent))

    def rate(self, size: int, signal: Vectors) -> tuple[str, float]:
        """Bytes of a vector."""
        return "bytes a vector", size / signal.extent[0]

    def decibels(self, decoded: Vectors, original: Vectors) -> float:
        """Signal to noise: the spread of the originals by the mean squared error."""
        import numpy as np

        wanted = original.values.astype(np.float64)
        noise = float(np.square(decoded.values.astype(np.float64) - wanted).sum())
        spread = float(np.square(wanted - wanted.mean(axis=0)).sum())
        if noise == 0:
            return float("inf")
        return 10 * float(np.log10(spread / noise)) if spread else float("-inf")


MEDIUM = VectorMedium()
