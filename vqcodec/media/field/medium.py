"""Fields as the codec sees them: between .npy files, arrays and what a model takes and gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from vqcodec.bitstream import Chunk, Header, Limits, Stream
from vqcodec.errors import BadModelError, CorruptError, InputError
from vqcodec.grid import Region
from vqcodec.media.base import Direct, Part
from vqcodec.media.field.chunks import (
    MAX_CHANNELS,
    MISSING,
    NUMBERS,
    Numbers,
    missing_of,
    numbers_of,
    pack_missing,
)
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.parts import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vqcodec.media.field.signal import Field

__all__ = ["MEDIUM", "FieldMedium"]


class FieldMedium(Direct):
    """Values over a plane that a model has learned: a `vqcodec.media.base.Medium`.

    No file is told to be one: an array is, when a model of fields is to encode it.
    """

    number = 5
    name = "field"
    axes = ("row", "column")
    letters = frozenset((NUMBERS, MISSING))
    suffixes: tuple[str, ...] = ()
    formats: Mapping[str, str] = {".npy": "npy"}
    default_model = ""
    span: tuple[float, float] | None = None
    depths: tuple[int, ...] = ()

    def recognises(self, head: bytes) -> bool:
        """No: that of an array is for whoever codes arrays without a model."""
        return False

    def open(self, path: str, limits: Limits) -> Field | None:
        """The field in a file, mapped into memory."""
        from vqcodec.media.field.signal import Field
        from vqcodec.media.npy import map_npy

        values = map_npy(path, limits)
        return None if values is None else Field(values)

    def read(self, data: bytes, limits: Limits) -> Field:
        """The field in the bytes of a file."""
        from vqcodec.media.field.signal import Field
        from vqcodec.media.npy import read_npy

        return Field(read_npy(data, limits))

    def write(self, signal: Field, *, format: str) -> bytes:
        """The bytes of a .npy file."""
        from vqcodec.media.npy import write_npy

        return write_npy(signal.values)

    def writer(
        self, stream: Stream, region: Region, *, format: str, bits: int | None = None
    ) -> Callable[[Iterable[Part], BinaryIO], None] | None:
        """None: `write` has it whole."""
        return None

    def wrap(self, thing: Any) -> Field:
        """The field in an array, a torch tensor or a `Field`."""
        import numpy as np

        from vqcodec.media.field.signal import Field

        if isinstance(thing, Field):
            return thing
        if hasattr(thing, "detach"):
            tensor = thing.detach().cpu()
            thing = (tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).numpy()
        if not hasattr(thing, "dtype"):
            raise InputError(f"no field of numbers: {thing!r:.40}")
        return Field(np.asarray(thing) if isinstance(thing, np.matrix) else thing)

    def unwrap(self, signal: Field) -> NDArray[Any]:
        """The values, of the shape and dtype that were encoded."""
        return signal.values

    def check_model(self, model: ModelConfig) -> None:
        """Raise BadModelError unless a model is for values of any unit over a plane."""
        medium, axes, kind = model.medium, len(model.synthesis.stride), model.synthesis.kind
        usual = axes == 2 and kind == "standardized" and not medium.numbers
        if not usual or medium.channels > MAX_CHANNELS:
            raise BadModelError(
                f"a model of fields has 2 axes, a standardized transform, 1 to {MAX_CHANNELS} "
                f"channels and no other numbers, got {axes}, {shown(kind)}, {medium.channels} and "
                f"{shown(dict(medium.numbers))}"
            )

    def blank(self, extent: tuple[int, ...], model: ModelConfig) -> Field:
        """Zeros."""
        import numpy as np

        from vqcodec.media.field.signal import Field

        return Field(np.zeros((model.medium.channels, *extent), np.float32))

    def prepare(self, signal: Field, model: ModelConfig) -> Field:
        """The field as it is. Raises: InputError if the model is for other channels."""
        if signal.channels != model.medium.channels:
            raise InputError(
                f"the model is for fields of {model.medium.channels} channels, which come first, "
                f"got {signal.channels}: {tuple(signal.values.shape)}"
            )
        return signal

    def to_samples(self, signal: Field, model: MediumConfig, region: Region) -> NDArray[np.float32]:
        """The values, with the channel's mean where they are missing: float32 (C, *lengths)."""
        return signal.filled(region)

    def from_samples(
        self,
        parts: Iterable[Part],
        stream: Stream,
        region: Region,
        *,
        shrink: int = 1,
        bits: int | None = None,
    ) -> Field:
        """A region of the field, of the numbers that were encoded."""
        from vqcodec.media.field.samples import field_of

        return field_of(parts, stream, region, shrink=shrink)

    def side_chunks(self, signal: Field, *, facts: bool) -> list[Chunk]:
        """What the numbers are, and a mask where some are missing."""
        numbers = Numbers(signal.values.dtype.name, signal.values.ndim)
        chunks = [Chunk(NUMBERS, numbers.pack())]
        if signal.missing is not None:
            chunks.append(Chunk(MISSING, pack_missing(signal.missing)))
        return chunks

    def check(self, header: Header, side_chunks: Sequence[Chunk]) -> None:
        """Raise CorruptError for other axes, or numbers that are none."""
        if len(header.extent) != 2:
            raise CorruptError(f"a field has 2 axes, the header says {len(header.extent)}")
        numbers_of(header, side_chunks)

    def describe(self, stream: Stream, *, size: int, limits: Limits) -> dict[str, Any]:
        """Bits of a value, dtype, shape, and how many values are missing."""
        header = stream.header
        numbers, missing = numbers_of(header, stream.side_chunks), missing_of(stream)
        shape = [header.channels, *header.extent]
        # A mask of one plane is of all channels.
        times = 0 if missing is None else header.channels // len(missing)
        return {
            "bits_a_value": 8 * size / math.prod(shape),
            "dtype": numbers.dtype,
            "shape": shape[3 - numbers.axes :],
            "missing": 0 if missing is None else int(missing.sum()) * times,
            "mask_bytes": len(stream.payload(MISSING) or b""),
        }

    def size_text(self, extent: tuple[int, ...], channels: int | None = None) -> str:
        """Lengths in the order of the axes, after the channels if there are several."""
        return " x ".join(map(str, (*((channels,) if channels and channels > 1 else ()), *extent)))

    def rate(self, size: int, signal: Field) -> tuple[str, float]:
        """Bits of a value."""
        return "bits a value", 8 * size / (signal.channels * math.prod(signal.extent))

    def decibels(self, decoded: Field, original: Field) -> float:
        """PSNR over the range of each channel; see `psnr`."""
        from vqcodec.media.field.measures import psnr

        return psnr(decoded, original)


MEDIUM = FieldMedium()
