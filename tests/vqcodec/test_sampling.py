"""Signals drawn from a model: whole streams, the same for a seed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.bitstream import read_header
from vqcodec.codec import Codec
from vqcodec.errors import InputError, UnknownModelError

Pixels = NDArray[np.uint8]


def test_streams_hold_what_the_prior_draws(codec: Codec) -> None:
    extent = (61, 83)
    (data,) = codec.sample_streams(extent, seed=7, stages=3)
    header = read_header(data)
    assert (header.extent, header.stages, header.channels) == (extent, 3, 3)
    codes = codec.decode_codes(_stream(data))
    assert codes.shape == (3, 8, 11)
    again, other = codec.sample_streams(extent, seed=7, stages=3, count=2)
    assert data == again != other
    decoded = codec.sample(extent, seed=7, stages=3)
    np.testing.assert_array_equal(decoded[0], codec.decode(data))
    assert decoded[0].shape == (61, 83, 3)


def test_codes_of_every_prior(codec: Codec) -> None:
    drawn = {mode: codec.sample((40, 40), seed=1, prior=mode)[0] for mode in codec.priors}
    assert len({pixels.tobytes() for pixels in drawn.values()}) == 3
    np.testing.assert_array_equal(codec.sample((40, 40), seed=1)[0], drawn[2])


def test_regions_are_drawn_each_on_its_own(regions_codec: Codec) -> None:
    (data,) = regions_codec.sample_streams((8 * 30, 8 * 15), seed=2, stages=2)
    codes = regions_codec.decode_codes(_stream(data))
    assert codes.shape == (2, 30, 15)
    assert not np.array_equal(codes[:, :13, :13], codes[:, 13:26, :13])


def test_a_model_says_what_it_is_for(codec: Codec) -> None:
    assert codec.sample(seed=0, stages=1)[0].shape == (256, 256, 3)


def test_sounds_are_drawn_too() -> None:
    import vqcodec

    codec = vqcodec.load("speech", device="cpu")
    (sound,) = codec.sample((4000,), seed=1, stages=2)
    assert sound.shape[0] == 4000
    assert np.isfinite(sound).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count"),
        ({"seed": -1}, "seed"),
        ({"stages": 6}, "stages must be 1 to 5"),
        ({"prior": 9}, r"prior must be one of \[0, 1, 2\], got 9"),
        ({"temperature": 0.5}, "without a generator there is no temperature"),
        ({"generator": "x", "stages": 1}, "of its own"),
    ],
)
def test_bad_options(codec: Codec, options: dict[str, object], message: str) -> None:
    extent = None if "generator" in options else (40, 40)
    with pytest.raises(InputError, match=message):
        codec.sample_streams(extent, **options)  # type: ignore[arg-type]


def test_bad_extents(codec: Codec) -> None:
    for extent in ((40,), (0, 40), "large", (1.5, 3)):
        with pytest.raises(InputError):
            codec.sample_streams(extent)  # type: ignore[arg-type]


def test_a_generator_that_is_not_there(codec: Codec) -> None:
    with pytest.raises(UnknownModelError, match="no generator 'dreams' for tiny-1"):
        codec.sample_streams(generator="dreams")


def _stream(data: bytes):  # type: ignore[no-untyped-def]
    from vqcodec.bitstream import Limits
    from vqcodec.media.registry import read_any_stream

    return read_any_stream(data, Limits())[1]
