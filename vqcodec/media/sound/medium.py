"""Sounds as the codec sees them: between files, arrays and what a model takes and gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from vqcodec.bitstream import Chunk, Header, Limits, Stream
from vqcodec.errors import BadModelError, CorruptError, InputError
from vqcodec.grid import Region
from vqcodec.media.base import Part, no_options
from vqcodec.media.sound.chunks import (
    RATE,
    RATES,
    TAGS,
    Rates,
    check_rates,
    pack_tags,
    rates_of,
    unpack_tags,
)
from vqcodec.media.sound.suffixes import FORMATS, SUFFIXES, looks_like_sound
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.parts import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vqcodec.media.sound.blocks import SoundBlocks
    from vqcodec.media.sound.flow import SoundFlow
    from vqcodec.media.sound.prepared import PreparedSound
    from vqcodec.media.sound.signal import Sound

    AnySound = Sound | SoundBlocks | PreparedSound

__all__ = ["MEDIUM", "SoundMedium"]

_NAMES = {1: "mono", 2: "stereo"}


class SoundMedium:
    """Mono and stereo of any rate: what `vqcodec.media.base.Medium` asks for.

    A model has a rate of its own; a sound of another one is resampled on its way to it, and back.
    """

    number = 1
    name = "sound"
    axes: tuple[str, ...] = ("samples",)
    letters = frozenset((RATE, TAGS))
    suffixes: tuple[str, ...] = SUFFIXES
    formats: Mapping[str, str] = FORMATS
    default_model = "sound"
    span: tuple[float, float] | None = None
    depths: tuple[int, ...] = ()
    raw = "RATE,CHANNELS,FORMAT"
    raw_formats: tuple[str, ...] = ("s16", "s24", "s32", "f32")

    def recognises(self, head: bytes) -> bool:
        """Whether a file begins as one of the formats that are read does."""
        return looks_like_sound(head)

    def open(self, path: str, limits: Limits) -> SoundBlocks | None:
        """The sound in a long file, read in blocks; see `open_sound`."""
        from vqcodec.media.sound.files import open_sound

        return open_sound(path, limits)

    def read(self, data: bytes, limits: Limits) -> Sound:
        """The sound in the bytes of a file; see `read_sound`."""
        from vqcodec.media.sound.files import read_sound

        return read_sound(data, limits)

    def from_raw(self, data: bytes, said: str, limits: Limits) -> Sound:
        """The sound in bare samples, of which is said `RATE,CHANNELS,FORMAT`; see `read_raw`."""
        from vqcodec.media.sound.raw import read_raw

        return read_raw(data, said, limits)

    def write(self, signal: Sound, *, format: str) -> bytes:
        """The bytes of a sound file, or bare samples; see `write_sound`."""
        from vqcodec.media.sound.writer import write_sound

        return write_sound(signal, format=format)

    def writer(
        self, stream: Stream, region: Region, *, format: str, bits: int | None = None
    ) -> Callable[[Iterable[Part], BinaryIO], None]:
        """What writes a sound as it is decoded."""
        from vqcodec.media.sound.decoded import decoded_blocks
        from vqcodec.media.sound.writer import write_blocks

        rates, tags = rates_of(stream), unpack_tags(stream, Limits())

        def write(parts: Iterable[Part], file: BinaryIO) -> None:
            write_blocks(
                file,
                decoded_blocks(parts, stream, region),
                samples=region[0].stop - region[0].start,
                rate=rates.rate,
                channels=stream.header.channels,
                tags=tags,
                format=format,
            )

        return write

    def wrap(self, thing: Any) -> Sound | SoundBlocks:
        """The sound in samples and their rate, a `Sound` or a `SoundBlocks`; see `sound_from`."""
        from vqcodec.media.sound.arrays import sound_from

        return sound_from(thing)

    def with_options(self, signal: AnySound, **options: Any) -> AnySound:
        """The sound, which has none."""
        chosen: AnySound = no_options(self.name, signal, **options)
        return chosen

    def unwrap(self, signal: Sound) -> NDArray[np.float32]:
        """The samples, float32 (T, 2), or (T,) for mono."""
        return signal.samples[:, 0] if signal.channels == 1 else signal.samples

    def check_model(self, model: ModelConfig) -> None:
        """Raise BadModelError unless a model is for mono or stereo of a rate."""
        medium, axes = model.medium, len(model.synthesis.stride)
        numbers = dict(medium.numbers)
        fits = set(numbers) == {"rate"} and numbers["rate"] in RATES
        if medium.channels not in (1, 2) or axes != 1 or not fits:
            raise BadModelError(
                f"a model of sounds has 1 or 2 channels, 1 axis and a rate, got "
                f"{medium.channels}, {axes} and {shown(numbers)}"
            )

    def blank(self, extent: tuple[int, ...], model: ModelConfig) -> Sound:
        """Silence, at the model's rate."""
        import numpy as np

        from vqcodec.media.sound.signal import Sound

        samples = np.zeros((*extent, model.medium.channels), np.float32)
        return Sound(samples, rate=model.medium.numbers["rate"])

    def prepare(self, signal: AnySound, model: ModelConfig) -> AnySound:
        """The sound at the model's rate, and mono for a model of one channel."""
        from vqcodec.media.sound.prepared import PreparedSound

        rate, channels = model.medium.numbers["rate"], min(signal.channels, model.medium.channels)
        if (signal.rate, signal.channels) == (rate, channels):
            return signal
        if isinstance(signal, PreparedSound):
            signal = signal.source
        return PreparedSound(signal, rate=rate, channels=channels)

    def to_samples(
        self, signal: AnySound, model: MediumConfig, region: Region
    ) -> NDArray[np.float32]:
        """Mono, or the middle and the side of stereo: float32 (C, n)."""
        from vqcodec.media.sound.prepared import unmixed

        return unmixed(signal.window(region), model.channels)

    def extent_of(self, stream: Stream) -> tuple[int, ...]:
        """How many samples the sound has at its own rate."""
        return (rates_of(stream).samples,)

    def samples_for(self, stream: Stream, region: Region, *, shrink: int = 1) -> Region:
        """Where the model's samples lie that a part of the sound is made of."""
        from vqcodec.media.sound.decoded import samples_for

        return samples_for(stream, region, shrink)

    def from_samples(
        self,
        parts: Iterable[Part],
        stream: Stream,
        region: Region,
        *,
        shrink: int = 1,
        bits: int | None = None,
    ) -> Sound:
        """A part of the sound with its tags; at a scale its rate is so much less."""
        from vqcodec.media.sound.decoded import decoded_sound

        return decoded_sound(parts, stream, region, shrink=shrink)

    def per_second(self, stream: Stream) -> int:
        """The sound's rate."""
        return rates_of(stream).rate

    def at_rate(self, stream: Stream, rate: int | str) -> Stream:
        """A stream that decodes to the sound at another rate; "model" is the model's own."""
        rates = rates_of(stream)
        rate = rates.coded if rate == "model" else rate
        if type(rate) is not int or rate not in RATES:
            raise InputError(
                f'a rate is {RATES.start} to {RATES.stop - 1}, or "model", got {rate!r}'
            )
        changed = Rates(rates.coded, rate, -(-rates.samples * rate // rates.rate))
        others = tuple(chunk for chunk in stream.side_chunks if chunk.type != RATE)
        return dataclasses.replace(stream, side_chunks=(Chunk(RATE, changed.pack()), *others))

    def side_chunks(self, signal: AnySound, *, facts: bool) -> list[Chunk]:
        """The rates, and with `facts` the tags."""
        source = getattr(signal, "source", signal)
        rates = Rates(signal.rate, source.rate, source.extent[0])
        tags = [pack_tags(signal.tags)] if facts and signal.tags else []
        return [Chunk(RATE, rates.pack()), *tags]

    def check(self, header: Header, side_chunks: Sequence[Chunk]) -> None:
        """Raise CorruptError for other axes, channels, or rates that do not fit the extent."""
        if len(header.extent) != 1 or header.channels not in _NAMES:
            raise CorruptError(
                f"a sound has 1 axis and 1 or 2 channels, the header says {len(header.extent)} "
                f"axes and {header.channels}"
            )
        payloads = [chunk.payload for chunk in side_chunks if chunk.type == RATE]
        check_rates(header, payloads[0] if payloads else None)

    def describe(self, stream: Stream, *, size: int, limits: Limits) -> dict[str, Any]:
        """Kilobits a second, seconds, both rates, and the tags."""
        rates, tags = rates_of(stream), unpack_tags(stream, limits)
        duration = rates.samples / rates.rate
        return {
            "kbps": size / 125 / duration,
            "seconds": duration,
            "rate": rates.rate,
            "model_rate": rates.coded,
            **({"tags": tags} if tags else {}),
        }

    def size_text(self, extent: tuple[int, ...], channels: int | None = None) -> str:
        """How many samples, and whether mono or stereo."""
        text = f"{extent[0]:,} samples"
        return text if channels is None else f"{text} {_NAMES[channels]}"

    def rate(self, size: int, signal: AnySound) -> tuple[str, float]:
        """Kilobits a second."""
        source = getattr(signal, "source", signal)
        return "kbps", size / 125 * source.rate / source.extent[0]

    def decibels(self, decoded: Sound, original: Sound | SoundBlocks) -> float:
        """PSNR against full scale, of the sound's own samples; of mono where it was mixed down."""
        from vqcodec.media.sound.measured import psnr

        return psnr(decoded, original)

    def gather(self, **facts: Any) -> SoundFlow:
        """A sound that comes in blocks; see `SoundFlow`."""
        from vqcodec.media.sound.flow import SoundFlow

        return SoundFlow(**facts)


MEDIUM = SoundMedium()
