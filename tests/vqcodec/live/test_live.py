"""Sound as it comes: the bytes of `Codec.encode`, the samples of `Codec.decode`, in any blocks."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import EXAMPLES
from numpy.typing import NDArray
from tiny import write_tiny

from vqcodec import Sound, SoundDecoder, SoundEncoder, load
from vqcodec.codec import Codec
from vqcodec.errors import FormatError, InputError, LimitError, TruncatedError, UnknownModelError

RATES = (8000, 11025, 5000)


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """A small model of 8000 samples a second: regions of 96 samples."""
    example = EXAMPLES["sound"]
    samples = example.samples()
    path: Path = tmp_path_factory.mktemp("live") / "sound.safetensors"
    write_tiny(path, example.config, samples, list(samples), name="sound")
    return load(path, device="cpu")


def noise(samples: int, channels: int) -> NDArray[np.float32]:
    made = np.random.default_rng(samples).standard_normal((samples, channels))
    return (made * 0.2).astype(np.float32)


def pieces(thing: Any, cuts: list[int]) -> Iterator[Any]:
    for start, stop in pairwise([0, *sorted(cuts), len(thing)]):
        yield thing[start:stop]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("is_known", [True, False])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_blocks_give_the_bytes_of_the_whole(
    rate: int, is_known: bool, codec: Codec, data: Any
) -> None:
    count = data.draw(st.sampled_from([1, 95, 96, 97, 700, 1501]))
    channels = data.draw(st.sampled_from([1, 2]))
    effort = data.draw(st.sampled_from([5, 9] if count < 100 else [5]))
    cuts = data.draw(st.lists(st.integers(0, count), max_size=9))
    samples, tags = noise(count, channels), {"title": "noise"}
    whole = codec.encode(Sound(samples, rate=rate, tags=tags), quality=60, effort=effort)
    encoder = SoundEncoder(
        codec,
        rate=rate,
        channels=channels,
        samples=count if is_known else None,
        tags=tags,
        quality=60,
        effort=effort,
    )
    given = [encoder.push(block) for block in pieces(samples, cuts)]
    assert b"".join([*given, encoder.close()]) == whole
    assert encoder.close() == b""
    with pytest.raises(InputError, match="closed"):
        encoder.push(samples)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("early", [True, False])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_bytes_give_the_samples_of_the_whole(
    rate: int, early: bool, codec: Codec, data: Any
) -> None:
    """To the bit."""
    count = data.draw(st.sampled_from([1, 96, 97, 700, 1501]))
    channels = data.draw(st.sampled_from([1, 2]))
    other = data.draw(st.sampled_from([None, "model", 12000]))
    stream = codec.encode(Sound(noise(count, channels), rate=rate))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=9))
    decoder = SoundDecoder(codec, rate=other, early=early)
    found = [decoder.push(block) for block in pieces(stream, cuts)]
    decoder.close()
    joined = np.concatenate([block for block in found if block is not None])
    np.testing.assert_array_equal(joined, codec.decode(stream, rate=other), strict=True)
    shown = codec.decode_signal(stream, rate=other)
    facts = {"rate": shown.rate, "channels": channels, "samples": shown.extent[0]}
    assert decoder.facts == facts


def decode_all(codec: Codec, stream: bytes) -> None:
    decoder = SoundDecoder(codec)
    decoder.push(stream)
    decoder.close()


def regions_by_bytes(codec: Codec, stream: bytes, *, early: bool) -> list[int]:
    """How many samples were given once each byte was there."""
    given: list[int] = []
    decoder = SoundDecoder(codec, early=early)
    for place in range(len(stream)):
        block = decoder.push(stream[place : place + 1])
        given.append((given[-1] if given else 0) + (0 if block is None else len(block)))
    return given


def test_a_region_waits_for_what_the_network_looks_ahead_alone(codec: Codec) -> None:
    """Six positions of eight samples; without `early`, for all of the next region."""
    stream = codec.encode(Sound(noise(480, 1), rate=8000))
    assert codec.pieces.ahead is not None
    ahead = 8 * codec.pieces.ahead
    early, late = (sorted(set(regions_by_bytes(codec, stream, early=e))) for e in (True, False))
    assert early == [0, *(96 * n - ahead for n in range(1, 5)), 480]
    assert late == [0, *(96 * n for n in range(1, 4)), 480]


def test_bytes_come_as_soon_as_they_are_settled(codec: Codec) -> None:
    """What a region's latent looks ahead is six positions, too."""
    encoder, sizes = SoundEncoder(codec, rate=8000, samples=960), []
    for block in noise(960, 1):
        sizes.append(len(encoder.push(block)))
    reach = 8 * 4
    places = [place + 1 for place, size in enumerate(sizes) if size]
    assert places == [*(96 * n + reach for n in range(1, 10)), 960]
    assert encoder.close() == b""


def test_what_is_held_stays_little(codec: Codec) -> None:
    """Of an hour, the samples of a region and what is looked at around it."""
    encoder, most = SoundEncoder(codec, rate=8000, quality=0), 0
    for _ in range(40):
        encoder.push(noise(500, 1))
        held: int = encoder._flow.held  # type: ignore[attr-defined]
        most = max(most, held)
    assert most < 1200


def test_fewer_and_more_samples_than_were_said(codec: Codec) -> None:
    encoder = SoundEncoder(codec, rate=8000, samples=100)
    with pytest.raises(InputError, match="more samples than 100"):
        encoder.push(noise(101, 1))
    encoder.push(noise(99, 1))
    with pytest.raises(InputError, match="ends after 99 of 100"):
        encoder.close()
    with pytest.raises(InputError, match="empty"):
        SoundEncoder(codec, rate=8000).close()


@pytest.mark.parametrize(
    "block",
    [np.zeros(9), np.zeros((9, 2), np.float32), np.full(9, np.nan, np.float32), [0.0] * 9, None],
)
def test_blocks_that_are_none(codec: Codec, block: Any) -> None:
    with pytest.raises(InputError):
        SoundEncoder(codec, rate=8000).push(block)


@pytest.mark.parametrize(
    "wrong", [{"rate": 9}, {"channels": 3}, {"samples": 0}, {"quality": 101}, {"effort": 0}]
)
def test_what_cannot_be_encoded_is_refused_at_once(codec: Codec, wrong: dict[str, Any]) -> None:
    options: dict[str, Any] = {"rate": 8000} | wrong
    with pytest.raises(InputError):
        SoundEncoder(codec, **options).push(noise(900, 1))


def test_every_cut_is_told(codec: Codec) -> None:
    stream = codec.encode(Sound(noise(300, 1), rate=8000))
    for length in range(len(stream)):
        decoder = SoundDecoder(codec)
        decoder.push(stream[:length])
        with pytest.raises(TruncatedError):
            decoder.close()


def test_every_damaged_byte_is_told(codec: Codec) -> None:
    """At the latest when the stream is closed, if a length waits for more than there is."""
    stream = codec.encode(Sound(noise(300, 1), rate=11025, tags={"title": "noise"}))
    for place in range(len(stream)):
        damaged = bytearray(stream)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(FormatError):
            decode_all(codec, bytes(damaged))
    with pytest.raises(FormatError, match="follow the end"):
        SoundDecoder(codec).push(stream + b"!")


def test_what_is_not_for_this_decoder(codec: Codec) -> None:
    stream = codec.encode(Sound(noise(300, 1), rate=44100))
    with pytest.raises(LimitError):
        SoundDecoder(codec, max_samples=299).push(stream)
    photo = load("photo", device="cpu").encode(np.zeros((9, 9), np.uint8))
    with pytest.raises((UnknownModelError, FormatError)):
        SoundDecoder(codec).push(photo)
