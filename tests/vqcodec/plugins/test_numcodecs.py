"""The codec of numcodecs: memory goes in and comes back, by itself and in zarr's format 2."""

import json
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.errors import BadMagicError, InputError, TruncatedError
from vqcodec.media.array.description import DTYPES
from vqcodec.plugins.numcodecs import Vqcodec

BOUND = 0.01


def field(shape: tuple[int, ...], dtype: str = "float32") -> NDArray[Any]:
    values = np.random.default_rng(0).normal(size=shape).cumsum(axis=-1) * 3
    return np.asarray(np.abs(values)).astype(dtype)


@pytest.mark.parametrize("dtype", [*DTYPES, ">f4", ">i2", ">c16"])
def test_memory_comes_back_bit_by_bit(dtype: str) -> None:
    """As those hosts see it that know no more than bytes: order of bytes and of axes included."""
    codec = Vqcodec(lossless=True, chunk=(4, 9))
    for values in (field((7, 9), dtype), np.asfortranarray(field((7, 9), dtype))):
        found = codec.decode(codec.encode(values))
        assert found.dtype == values.dtype
        assert found.tobytes() == values.tobytes("A")


def test_an_array_without_axes_and_one_without_values() -> None:
    codec = Vqcodec(max_error=BOUND)
    assert codec.decode(codec.encode(np.array(3.5))) == pytest.approx(3.5, abs=BOUND)
    assert codec.decode(codec.encode(np.zeros((3, 0), "u2"))).shape == (3, 0)


@pytest.mark.parametrize("order", ["C", "F"])
def test_decoding_into_memory_that_is_given(order: Any) -> None:
    codec, values = Vqcodec(max_error=BOUND), np.array(field((7, 9), ">f8"), order=order)
    out = np.full_like(values, np.nan)
    assert codec.decode(codec.encode(values), out=out) is out
    assert np.abs(out - values).max() <= BOUND
    memory = bytearray(values.nbytes)
    codec.decode(codec.encode(values), out=memory)
    assert bytes(memory) == out.tobytes("A")


def test_bytes_are_an_array_of_bytes() -> None:
    codec = Vqcodec(lossless=True)
    assert codec.decode(codec.encode(b"any bytes")).tobytes() == b"any bytes"


def test_its_configuration_makes_it_anew() -> None:
    codec = Vqcodec(max_error=np.float64(0.5), missing=-1, chunk=[3, 4])
    config = codec.get_config()
    assert config == {"id": "vqcodec", "max_error": 0.5, "missing": -1, "chunk": [3, 4]}
    assert numcodecs.get_codec(json.loads(json.dumps(config))) == codec
    assert hash(codec) == hash(numcodecs.get_codec(config))


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match="there is no default"):
        numcodecs.get_codec({"id": "vqcodec"})
    with pytest.raises(InputError, match="no option 'level'"):
        numcodecs.get_codec({"id": "vqcodec", "level": 3})
    codec = Vqcodec(lossless=True)
    with pytest.raises(InputError, match="datetime64"):
        codec.encode(np.zeros(3, "M8[s]"))
    with pytest.raises(BadMagicError):
        codec.decode(b"not a stream of ours")
    with pytest.raises(TruncatedError):
        codec.decode(codec.encode(field((7, 9)))[:-5])


def test_what_could_not_be_read_back_is_not_written() -> None:
    values = np.broadcast_to(np.uint8(1), (2, DEFAULT_LIMITS.max_samples))
    with pytest.raises(InputError, match=f"at most {DEFAULT_LIMITS.max_samples} values"):
        Vqcodec(lossless=True).encode(values)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f8"])
def test_in_zarr_of_format_2(tmp_path: Path, dtype: str, order: Any) -> None:
    values = field((17, 23), dtype)
    target = zarr.create_array(
        tmp_path,
        shape=values.shape,
        dtype=dtype,
        chunks=(8, 10),
        order=order,
        zarr_format=2,
        compressors=Vqcodec(max_error=BOUND),
    )
    target[...] = values
    stored = json.loads((tmp_path / ".zarray").read_text("utf-8"))
    assert (stored["compressor"], stored["order"]) == ({"id": "vqcodec", "max_error": BOUND}, order)
    assert np.abs(np.asarray(zarr.open_array(tmp_path)[...]) - values).max() <= BOUND
