"""A stream beside an original, chunk by chunk."""

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec import CorruptError, decode_array, encode_array
from vqcodec.media.array.comparison import compare
from vqcodec.media.array.signal import Array
from vqcodec.media.registry import read_any_stream

VALUES = np.sin(np.arange(7 * 11 * 5) / 9).reshape(7, 11, 5)


def compared(data: bytes, values: NDArray[Any], threads: int = 2) -> float:
    return compare(read_any_stream(data)[1], Array(values), threads=threads)


@pytest.mark.parametrize("chunk", [None, (3, 4, 5), (1, 11, 1)])
@pytest.mark.parametrize("dtype", ["f8", ">f4", "c8"])
def test_the_largest_error_is_that_of_all_chunks(chunk: tuple[int, ...] | None, dtype: str) -> None:
    values = (VALUES + (1j * VALUES[::-1] if dtype == "c8" else 0)).astype(dtype)
    data = encode_array(values, max_error=0.01, chunk=chunk)
    off = decode_array(data).astype("c16") - values.astype("c16")
    wanted = max(abs(off.real).max(), abs(off.imag).max())
    assert compared(data, values, 1) == compared(data, values, 3) == pytest.approx(wanted, rel=1e-6)


def test_values_beyond_the_bound_are_counted_over_all_chunks() -> None:
    data = encode_array(VALUES, max_error=0.01, chunk=(2, 4, 5))
    other = VALUES.copy()
    other[0, 0, 0] += 0.5
    other[6, 10, 4] -= 0.75
    with pytest.raises(CorruptError, match=re.escape("2 values are further off")) as found:
        compared(data, other)
    assert 0.73 < float(str(found.value).split()[-1]) < 0.77


@pytest.mark.parametrize("values", [np.zeros((0, 3)), np.array(2.5), np.array([np.nan, 1.0])])
def test_few_values(values: NDArray[Any]) -> None:
    assert compared(encode_array(values, lossless=True), values) == 0.0


def test_another_shape_is_refused() -> None:
    with pytest.raises(CorruptError, match="the original float64"):
        compared(encode_array(VALUES, max_error=0.1), VALUES[1:])
