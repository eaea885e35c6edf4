"""A medium that only the tests have: a saw-tooth of integers on one axis, about an offset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import Chunk, Header, Limits, Stream
from vqcodec.errors import BadModelError, CorruptError, InputError, LimitError
from vqcodec.grid import Region, inside, lengths
from vqcodec.media.base import Direct, Part
from vqcodec.model.config import MediumConfig, ModelConfig

__all__ = ["MEDIUM", "SawTooth"]

_OFFSET, _UNIT = "O", "u"
_LONGEST_UNIT = 40


@dataclass(frozen=True, eq=False)
class SawTooth:
    """values: int64 (T,), within 255 of the offset below them. unit: a word for people."""

    values: NDArray[np.int64]
    offset: int = 0
    unit: str = ""

    @property
    def extent(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def channels(self) -> int:
        return 1


class SawToothMedium(Direct):
    number = 9
    name = "sawtooth"
    axes = ("steps",)
    letters = frozenset((_OFFSET, _UNIT))
    suffixes = (".saw",)
    formats = {".saw": "saw"}  # noqa: RUF012
    default_model = "sawtooth"
    span = (0.0, 1.0)
    depths: tuple[int, ...] = ()

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b"SAW ")

    def open(self, path: str, limits: Limits) -> None:
        return None

    def read(self, data: bytes, limits: Limits) -> SawTooth:
        first, _, rest = data.partition(b"\n")
        words = first.decode("ascii", "replace").split()
        try:
            offset, count, values = int(words[1]), int(words[2]), np.array(rest.split(), np.int64)
        except (IndexError, ValueError) as error:
            raise InputError("not a saw-tooth") from error
        if len(values) != count:
            raise InputError(f"a saw-tooth of {count} steps has {len(values)}")
        if len(values) > limits.max_samples:
            raise LimitError(f"{len(values)} steps, more than the limit of {limits.max_samples}")
        return self.wrap(SawTooth(values, offset, " ".join(words[3:])))

    def write(self, signal: SawTooth, *, format: str) -> bytes:
        head = " ".join(["SAW", str(signal.offset), str(len(signal.values)), *signal.unit.split()])
        return f"{head}\n{' '.join(map(str, signal.values))}\n".encode("ascii")

    def writer(
        self, stream: Stream, region: Region, *, format: str, bits: int | None = None
    ) -> None:
        return None

    def wrap(self, thing: Any) -> SawTooth:
        signal = thing if isinstance(thing, SawTooth) else SawTooth(np.asarray(thing))
        above = signal.values - signal.offset
        if above.ndim != 1 or above.size == 0 or above.min() < 0 or above.max() > 255:
            raise InputError(f"no saw-tooth of 0 to 255 above its offset: {signal.values!r:.60}")
        return signal

    def unwrap(self, signal: SawTooth) -> NDArray[np.int64]:
        return signal.values

    def blank(self, extent: tuple[int, ...], model: ModelConfig) -> SawTooth:
        return SawTooth(np.zeros(extent, np.int64))

    def check_model(self, model: ModelConfig) -> None:
        if model.medium.channels != 1 or len(model.synthesis.stride) != 1:
            raise BadModelError("a model of saw-teeth has one channel and one axis")

    def to_samples(
        self, signal: SawTooth, model: MediumConfig, region: Region
    ) -> NDArray[np.float32]:
        return ((signal.values[region] - signal.offset)[None] / 255).astype(np.float32)

    def from_samples(
        self,
        parts: Iterable[Part],
        stream: Stream,
        region: Region,
        *,
        shrink: int = 1,
        bits: int | None = None,
    ) -> SawTooth:
        offset = int.from_bytes(stream.payload(_OFFSET) or b"", "little", signed=True)
        values = np.full(lengths(region), -1, np.int64)
        for place, samples in parts:
            values[inside(place, region)] = np.rint(samples[0].clip(0, 1) * 255) + offset
        return SawTooth(values, offset, (stream.payload(_UNIT) or b"").decode("ascii", "replace"))

    def side_chunks(self, signal: SawTooth, *, facts: bool) -> list[Chunk]:
        chunks = [Chunk(_OFFSET, signal.offset.to_bytes(8, "little", signed=True))]
        if facts and signal.unit:
            chunks.append(Chunk(_UNIT, signal.unit.encode("ascii")))
        return chunks

    def check(self, header: Header, side_chunks: Sequence[Chunk]) -> None:
        sizes = {chunk.type: len(chunk.payload) for chunk in side_chunks}
        if len(header.extent) != 1 or header.channels != 1 or sizes.get(_OFFSET) != 8:
            raise CorruptError("a saw-tooth has one axis, one channel and an offset of 8 bytes")

    def describe(self, stream: Stream, *, size: int, limits: Limits) -> dict[str, Any]:
        unit = stream.payload(_UNIT) or b""
        if len(unit) > _LONGEST_UNIT:
            raise CorruptError(f"a unit of {len(unit)} bytes")
        return {"unit_bytes": len(unit)}

    def size_text(self, extent: tuple[int, ...], channels: int | None = None) -> str:
        return f"{extent[0]} steps"

    def rate(self, size: int, signal: SawTooth) -> tuple[str, float]:
        return "bits a step", 8 * size / len(signal.values)

    def decibels(self, decoded: SawTooth, original: SawTooth) -> float:
        error = float(np.mean((decoded.values - original.values) ** 2.0))
        return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


MEDIUM = SawToothMedium()
