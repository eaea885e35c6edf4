"""What every medium must keep: laws over examples of its signals, with a small model of its own.

A medium that is registered has an entry in `EXAMPLES` and golden files from the first day on;
tests/vqcodec/media/test_laws.py asks for both by name.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sawtooth.medium import SawTooth
from tiny import tiny_config
from torch import Tensor

from vqcodec.bitstream import Chunk, Limits, Stream, write_stream
from vqcodec.codec import Codec
from vqcodec.errors import (
    BadModelError,
    CorruptError,
    FormatError,
    InputError,
    LimitError,
    UnsupportedVersionError,
)
from vqcodec.grid import whole
from vqcodec.media.base import Medium
from vqcodec.media.field.signal import Field
from vqcodec.media.picture.signal import Picture
from vqcodec.media.registry import medium_of, read_any_stream
from vqcodec.media.sound.signal import Sound
from vqcodec.model.config import ModelConfig
from vqcodec.stream_info import inspect

__all__ = ["EXAMPLES", "LAWS", "Example"]


@dataclass(frozen=True)
class Example:
    """A small model of a medium, samples (B, C, *extent) that it is fitted to, and signals to try.

    training: signals, each large enough for a crop of the medium's first recipe.
    """

    config: ModelConfig
    samples: Callable[[], Tensor]
    signals: Callable[[], Sequence[Any]]
    training: Callable[[], Sequence[Any]]


def _pictures() -> list[Picture]:
    rows, columns = np.mgrid[0:37, 0:53]
    planes = [rows * 6, columns * 4, 255 * ((rows // 9 + columns // 7) % 2), rows + columns]
    pixels = np.stack(planes, axis=2).astype(np.uint8)
    return [
        Picture(pixels[:, :, :3]),
        Picture(pixels, icc=b"profile" * 9, exif=b"II*\0" + bytes(40)),
        Picture(pixels[:1, :1, :1]),
        Picture(pixels[:5, :, 2:]),
    ]


def _saw_teeth() -> list[SawTooth]:
    tooth = np.arange(301) * 7 % 211
    return [
        SawTooth(tooth),
        SawTooth(tooth[:1] - 5, -5),
        SawTooth(tooth[:38] + 10**9, 10**9, "kelvin"),
    ]


def _large_pictures() -> list[Picture]:
    rows, columns = np.mgrid[0:203, 0:251]
    return [
        Picture(
            np.stack(
                [
                    127 + 90 * np.sin(rows / (5 + number)),
                    127 + 80 * np.cos(columns / 9 + rows / 17),
                    (rows + columns * number) % 256,
                ],
                axis=2,
            ).astype(np.uint8)
        )
        for number in range(1, 4)
    ]


def _tones(samples: int, channels: int) -> NDArray[np.float32]:
    """Two falling tones, of samples that sixteen bits hold."""
    time = np.arange(samples) / 8000
    tones = [np.sin(700 * time - 90 * time**2), 0.4 * np.cos(2500 * time)][:channels]
    rounded: NDArray[np.float32] = (np.rint(np.stack(tones, axis=1) * 9000) / 32768).astype(
        np.float32
    )
    return rounded


def _sounds() -> list[Sound]:
    return [
        Sound(_tones(301, 2), rate=8000),
        Sound(_tones(1, 1), rate=8000),
        Sound(_tones(90, 1), rate=8000, tags={"title": "falling", "artist": "nobody"}),
        Sound(_tones(133, 2), rate=11025),
        Sound(_tones(77, 1), rate=4000),
    ]


def _waves(rows: int, columns: int, channels: int = 1) -> NDArray[np.float64]:
    """Kelvin, and from the second channel on another unit."""
    row, column = np.mgrid[0:rows, 0:columns]
    planes = [
        280 + 9 * np.sin(row / 5 + number) + 4 * np.cos(column / (7 + number) + row / 17)
        for number in range(channels)
    ]
    return np.stack([plane * (1 if n == 0 else 40) for n, plane in enumerate(planes)])


def _fields() -> list[Field]:
    cut = _waves(19, 33, 2).astype(np.float32)
    cut[:, 4:11, 7:30] = np.nan
    cut[1, 0, 0] = np.nan
    return [
        Field(_waves(37, 53, 2)),
        Field(cut),
        Field(_waves(1, 1, 2).astype(np.float16)),
        Field(_waves(24, 8, 2).astype(np.int32)),
        Field(_waves(9, 70, 2).astype(np.uint16)),
    ]


def _noise(channels: int, *extent: int) -> Tensor:
    return torch.rand(4, channels, *extent, generator=torch.Generator().manual_seed(0))


EXAMPLES = {
    "picture": Example(
        tiny_config(stages=3, codebook_size=12, region=4),
        lambda: _noise(3, 64, 64),
        _pictures,
        _large_pictures,
    ),
    "sound": Example(
        tiny_config(
            medium="sound",
            channels=2,
            numbers={"rate": 8000},
            stride=(8,),
            latent_dim=4,
            stages=3,
            codebook_size=16,
            region=12,
        ),
        lambda: 0.3 * (_noise(2, 512) - 0.5),
        _sounds,
        lambda: [Sound(_tones(48000 + number, 2), rate=24000) for number in range(3)],
    ),
    "field": Example(
        tiny_config(
            medium="field",
            standardized=True,
            channels=2,
            latent_dim=6,
            stages=3,
            codebook_size=16,
            region=4,
        ),
        lambda: torch.from_numpy(
            np.stack([_waves(64, 64 + 8 * n, 2)[:, :, -64:] for n in range(4)]).astype(np.float32)
        ),
        _fields,
        lambda: [Field(_waves(260 + n, 275, 1)[0].astype(np.float32) + n) for n in range(3)],
    ),
    "sawtooth": Example(
        tiny_config(
            medium="sawtooth",
            channels=1,
            stride=(4,),
            latent_dim=3,
            stages=2,
            codebook_size=16,
            region=16,
        ),
        lambda: _noise(1, 256),
        _saw_teeth,
        lambda: [SawTooth(np.arange(200 + n) * (3 + n) % 211 + n, n) for n in range(3)],
    ),
}


def a_round_trip_keeps_extent_channels_and_facts(codec: Codec, signal: Any) -> None:
    """The same array back, as near as the model comes, and other decoders get the same codes."""
    medium = codec.medium
    data = codec.encode(signal, quality=100)
    assert codec.encode(signal, quality=100) == data
    decoded = codec.decode_signal(data)
    assert (decoded.extent, decoded.channels) == (signal.extent, signal.channels)
    assert type(decoded) is type(signal)
    assert medium.unwrap(decoded).dtype == medium.unwrap(signal).dtype
    assert medium.decibels(decoded, signal) > 3
    assert medium.decibels(signal, signal) == float("inf")
    again, kept = medium.side_chunks(decoded, facts=True), medium.side_chunks(signal, facts=True)
    assert again == kept
    bare = codec.decode_signal(codec.encode(signal, facts=False))
    assert medium.side_chunks(bare, facts=True) == medium.side_chunks(signal, facts=False)


def targets_are_met(codec: Codec, signal: Any) -> None:
    """Bytes are not exceeded, and decibels are reached."""
    largest, smallest = (len(codec.encode(signal, quality=quality)) for quality in (100, 0))
    wanted = (largest + smallest + 1) // 2
    assert len(codec.encode(signal, size=wanted)) <= wanted
    best = codec.medium.decibels(codec.decode_signal(codec.encode(signal, quality=100)), signal)
    reached = min(best - 1, 40)
    decoded = codec.decode_signal(codec.encode(signal, psnr=reached))
    assert codec.medium.decibels(decoded, signal) >= reached


def samples_are_what_the_model_takes(codec: Codec, signal: Any) -> None:
    config = codec.card.config
    prepared = codec.medium.prepare(signal, config)
    samples = codec.medium.to_samples(prepared, config.medium, whole(prepared.extent))
    assert samples.dtype == np.float32
    assert samples.shape == (config.medium.channels, *prepared.extent)
    assert np.isfinite(samples).all()
    codes = codec.quantize(torch.from_numpy(samples)[None])
    again = codec.reconstruct(codes, extent=prepared.extent)
    assert tuple(again.shape[1:]) == samples.shape


def a_signal_is_quantized_as_its_samples_are(codec: Codec, signal: Any) -> None:
    """Alone and in a batch; its positions are those of its stream."""
    config = codec.card.config
    prepared = codec.medium.prepare(signal, config)
    samples = codec.medium.to_samples(prepared, config.medium, whole(prepared.extent))
    codes = codec.quantize(torch.from_numpy(samples)[None])
    assert torch.equal(codec.quantize(signal), codes)
    assert torch.equal(codec.quantize([signal] * 3), codes.repeat(3, *(1,) * (codes.ndim - 1)))
    _, stream = read_any_stream(codec.encode(signal))
    assert codec.decode_codes(stream).shape[1:] == codes.shape[2:]


def damage_is_refused(codec: Codec, signal: Any) -> None:
    """Every cut, and a flipped bit in every byte, by an error of the format."""
    data = codec.encode(signal, quality=50)
    for length in range(len(data)):
        with pytest.raises(FormatError):
            codec.decode(data[:length])
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(FormatError):
            codec.decode(damaged)


def contradictions_are_refused(codec: Codec, signal: Any) -> None:
    """Headers and chunks that no encoder writes, with checksums that are right."""
    _, stream = read_any_stream(codec.encode(signal))
    header, side, codes = stream.header, stream.side_chunks, stream.codes
    wrong: list[tuple[type[FormatError], Stream]] = [
        (UnsupportedVersionError, Stream(header, (*side, Chunk("Z", b"")), codes)),
        (CorruptError, Stream(dataclasses.replace(header, channels=200), side, codes)),
        (CorruptError, Stream(dataclasses.replace(header, extent=(1,) * 7), side, codes)),
        (CorruptError, Stream(dataclasses.replace(header, stages=64), side, codes)),
        (CorruptError, Stream(header, side, (codes[0] + b"\0", *codes[1:]))),
    ]
    more = dataclasses.replace(header, regions=header.regions + 1)
    wrong.append((CorruptError, Stream(more, side, (*codes, codes[-1]))))
    wrong += [(CorruptError, Stream(header, (*side, chunk), codes)) for chunk in side]
    for error, made in wrong:
        with pytest.raises(error):
            codec.decode(write_stream(made.header, made.side_chunks, made.codes))
    later = write_stream(header, [*side, Chunk("z", b"later")], codes)
    assert inspect(later).other_chunks == "z"


def limits_hold(codec: Codec, signal: Any) -> None:
    """For the signal as it is coded, and as it is decoded."""
    prepared = codec.medium.prepare(signal, codec.card.config)
    data = codec.encode(signal)
    count = max(int(np.prod(signal.extent)), int(np.prod(prepared.extent)))
    assert codec.decode_signal(data, max_samples=count).extent == signal.extent
    if count > 1:
        with pytest.raises(LimitError):
            codec.decode(data, max_samples=count - 1)


def a_stream_is_described_without_its_model(codec: Codec, signal: Any) -> None:
    medium = codec.medium
    data = codec.encode(signal)
    info = inspect(data)
    assert info.medium == medium.name
    assert tuple(info.extent.values()) == signal.extent
    assert tuple(info.extent) == medium.axes
    assert info.channels == signal.channels
    assert info.fingerprint == codec.card.fingerprint
    assert info.file_bytes == len(data)
    assert medium.size_text(signal.extent, signal.channels)
    unit, rate = medium.rate(len(data), signal)
    assert unit
    assert rate > 0


def files_are_read_as_they_were_written(codec: Codec, signal: Any) -> None:
    """In the first format, which keeps everything."""
    medium = codec.medium
    data = medium.write(signal, format=next(iter(medium.formats.values())))
    # What has no suffixes is told by who encodes it.
    assert medium_of(data) is medium or not medium.suffixes
    read = medium.read(data, Limits())
    np.testing.assert_array_equal(medium.unwrap(read), medium.unwrap(signal))
    assert medium.side_chunks(read, facts=True) == medium.side_chunks(signal, facts=True)
    count = int(np.prod(signal.extent))
    if count > 1:
        with pytest.raises(LimitError):
            medium.read(data, Limits(max_samples=count - 1))
    with pytest.raises(InputError):
        medium.read(data[: len(data) // 3], Limits())


def what_is_no_signal_is_refused(codec: Codec, signal: Any) -> None:
    medium: Medium = codec.medium
    assert medium.wrap(signal) is signal
    for thing in (None, "text", 5, object(), np.zeros((2, 2, 2, 2, 2)), np.zeros(0, np.uint8)):
        with pytest.raises((InputError, TypeError, ValueError)):
            medium.wrap(thing)


def a_model_of_another_shape_is_refused(codec: Codec, signal: Any) -> None:
    """What loads can be used: channels and axes that no signal of the medium has do not load."""
    config = codec.card.config
    many = dataclasses.replace(config.medium, channels=300)
    synthesis: Any = config.synthesis
    other = 1 + len(synthesis.stride) % 3
    synthesis = dataclasses.replace(synthesis, stride=(2,) * other, latent_dim=1)
    axes = dataclasses.replace(config, synthesis=synthesis, region=(4,) * other)
    for wrong in (dataclasses.replace(config, medium=many), axes):
        with pytest.raises(BadModelError):
            codec.medium.check_model(wrong)
    codec.medium.check_model(config)


def a_stream_in_parts_is_judged_like_its_bytes(codec: Codec, signal: Any) -> None:
    _, stream = read_any_stream(codec.encode(signal))
    assert codec.decode_signal(stream).extent == signal.extent
    count = int(np.prod(signal.extent))
    if count > 1:
        with pytest.raises(LimitError):
            codec.decode(stream, max_samples=count - 1)
    many = dataclasses.replace(stream.header, channels=200)
    for made in (
        Stream(stream.header, stream.side_chunks, stream.codes[1:]),
        Stream(many, stream.side_chunks, stream.codes),
    ):
        with pytest.raises(CorruptError):
            codec.decode(made)


def less_than_all_is_a_signal(codec: Codec, signal: Any) -> None:
    """At half of its size; and what is left of a stream that is whole, which is all of it."""
    medium, data = codec.medium, codec.encode(signal, quality=50)
    whole, half = codec.decode_signal(data), codec.decode_signal(data, scale=1 / 2)
    assert half.extent == tuple(-(-length // 2) for length in signal.extent)
    assert (type(half), half.channels) == (type(whole), whole.channels)
    assert medium.unwrap(half).dtype == medium.unwrap(whole).dtype
    left = codec.decode_signal(data, partial=True)
    # NaN, which some signals hold, is like itself here.
    np.testing.assert_array_equal(medium.unwrap(left), medium.unwrap(whole))
    assert medium.side_chunks(left, facts=True) == medium.side_chunks(whole, facts=True)


LAWS: tuple[Callable[[Codec, Any], None], ...] = (
    a_round_trip_keeps_extent_channels_and_facts,
    targets_are_met,
    samples_are_what_the_model_takes,
    a_signal_is_quantized_as_its_samples_are,
    damage_is_refused,
    contradictions_are_refused,
    limits_hold,
    a_stream_is_described_without_its_model,
    files_are_read_as_they_were_written,
    what_is_no_signal_is_refused,
    a_model_of_another_shape_is_refused,
    a_stream_in_parts_is_judged_like_its_bytes,
    less_than_all_is_a_signal,
)
