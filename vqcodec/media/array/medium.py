"""Arrays as the registry sees them: coded by themselves, without a model, see `coder.py`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import BOUNDED, PRIORS, Chunk, Header, Limits, Stream
from vqcodec.errors import CorruptError, InputError
from vqcodec.media.array.description import count_chunks, extent_of, unpack_description
from vqcodec.media.array.letters import DESCRIPTION, LETTERS, NUMBER
from vqcodec.media.modelless import Modelless

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vqcodec.media.array.signal import Array

__all__ = ["MEDIUM", "ArrayMedium"]


class ArrayMedium(Modelless):
    """Numbers of any shape: what `vqcodec.media.base.Medium` asks for, but for models."""

    number = NUMBER
    name = "array"
    axes = tuple(f"axis_{number}" for number in range(16))
    letters = LETTERS
    suffixes: tuple[str, ...] = (".npy",)
    formats: Mapping[str, str] = {".npy": "npy"}

    def recognises(self, head: bytes) -> bool:
        """Whether a file begins as .npy does."""
        return head.startswith(b"\x93NUMPY")

    def open(self, path: str, limits: Limits) -> Array | None:
        """The array in a file, mapped into memory."""
        from vqcodec.media.array.signal import Array
        from vqcodec.media.npy import map_npy

        values = map_npy(path, limits)
        return None if values is None else Array(values)

    def read(self, data: bytes, limits: Limits) -> Array:
        """The array in the bytes of a file."""
        from vqcodec.media.array.signal import Array
        from vqcodec.media.npy import read_npy

        return Array(read_npy(data, limits))

    def write(self, signal: Array, *, format: str) -> bytes:
        """The bytes of a .npy file."""
        from vqcodec.media.npy import write_npy

        return write_npy(signal.values)

    def wrap(self, thing: Any) -> Array:
        """The array in an `Array`, or in what NumPy makes one of."""
        import numpy as np

        from vqcodec.media.array.signal import Array

        if isinstance(thing, Array):
            return thing
        if thing is None or isinstance(thing, str | bytes):
            raise InputError(f"no array of numbers: {thing!r:.40}")
        return Array(thing if isinstance(thing, np.ndarray) else np.asarray(thing))

    def unwrap(self, signal: Array) -> NDArray[Any]:
        """The values."""
        return signal.values

    def check(self, header: Header, side_chunks: Sequence[Chunk]) -> None:
        """Raise CorruptError if header and description contradict each other."""
        found = next((c.payload for c in side_chunks if c.type == DESCRIPTION), None)
        if found is None:
            raise CorruptError("an array lacks its description")
        d = unpack_description(found)
        says = (header.extent, header.channels, header.stages, PRIORS[header.prior])
        wanted = (extent_of(d.shape), 1, 1, BOUNDED)
        if says != wanted or header.regions != count_chunks(d) or any(header.fingerprint):
            raise CorruptError(
                f"an array of shape {d.shape} in chunks of {d.chunk}, the header says {says} and "
                f"{header.regions} regions"
            )

    def describe(self, stream: Stream, *, size: int, limits: Limits) -> dict[str, Any]:
        """Bits of a value, dtype, what was asked for, what was reached, and how."""
        payload = stream.payload(DESCRIPTION)
        d = unpack_description(payload if payload is not None else b"")
        return {
            "bits_a_value": 8 * size / stream.header.samples,
            "dtype": d.dtype,
            "shape": list(d.shape),
            "chunk": list(d.chunk),
            "mode": d.mode,
            "bound": d.bound,
            "reached": d.reached,
            "big_endian": d.big_endian,
            "map": d.map,
            "predictor": d.family,
        }

    def size_text(self, extent: tuple[int, ...], channels: int | None = None) -> str:
        """Lengths in the order of the axes."""
        return " x ".join(map(str, extent))

    def rate(self, size: int, signal: Array) -> tuple[str, float]:
        """Bits of a value."""
        return "bits a value", 8 * size / math.prod(signal.extent)

    def decibels(self, decoded: Array, original: Array) -> float:
        """PSNR over the range of the finite values."""
        from vqcodec.media.array.comparison import psnr

        return psnr(decoded.values, original.values)


MEDIUM = ArrayMedium()
