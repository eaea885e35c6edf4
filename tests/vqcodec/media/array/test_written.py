"""Arrays that are written as they are decoded: the file of the whole, in the memory of rows."""

import io
from typing import Any

import numpy as np
import pytest

from vqcodec.bitstream import Limits
from vqcodec.media.array.coder import CODER, decode_array, encode_array
from vqcodec.media.npy import write_npy
from vqcodec.media.registry import read_any_stream


def streamed(data: bytes, **options: Any) -> tuple[tuple[int, ...], bytes]:
    file = io.BytesIO()
    _, stream = read_any_stream(data, Limits())
    extent = CODER.write_decoded(stream, file, format="npy", **options)
    return extent, file.getvalue()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["?", "<i2", ">f4", "<f8", "<c8"])
@pytest.mark.parametrize(
    ("shape", "chunk"),
    [((23,), (7,)), ((9, 11), (4, 5)), ((5, 3, 7), (2, 3, 3)), ((6, 5), (6, 5)), ((4, 9), (4, 2))],
)
def test_the_file_is_that_of_the_whole(
    shape: tuple[int, ...], chunk: tuple[int, ...], dtype: str, threads: int
) -> None:
    values = (np.arange(np.prod(shape)).reshape(shape) * 7 % 31).astype(dtype)
    data = encode_array(values, lossless=True, chunk=chunk)
    extent, written = streamed(data, threads=threads)
    assert extent == shape
    assert written == write_npy(values.astype(values.dtype.newbyteorder("=")))
    region = tuple(slice(1, n - 1) for n in shape)
    extent, written = streamed(data, threads=threads, region=region)
    assert extent == values[region].shape
    assert written == write_npy(values[region].astype(values.dtype.newbyteorder("=")))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (1, 1)])
def test_nothing_and_one_value(shape: tuple[int, ...]) -> None:
    values = np.full(shape, 2.5, np.float32)
    extent, written = streamed(encode_array(values, lossless=True))
    assert extent == tuple(n or 1 for n in shape) or not shape
    assert written == write_npy(values)
    np.testing.assert_array_equal(decode_array(encode_array(values, lossless=True)), values)


def test_rows_are_written_before_the_next_ones_are_decoded() -> None:
    values = np.arange(60 * 8, dtype=np.int32).reshape(60, 8)
    _, stream = read_any_stream(encode_array(values, lossless=True, chunk=(6, 4)), Limits())
    done, seen = [0], []

    class File(io.BytesIO):
        def write(self, data: Any) -> int:
            seen.append((done[0], memoryview(data).nbytes))
            return super().write(data)

    CODER.write_decoded(
        stream, File(), format="npy", threads=1, progress=lambda k, _: done.__setitem__(0, k)
    )
    rows = [(k, size) for k, size in seen if k]
    assert rows == [(k, 6 * 8 * 4) for k in range(2, 21, 2)]
