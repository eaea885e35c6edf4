"""What codes arrays: `vqcodec.media.base.Coder`, and the functions that people call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from numpy.typing import NDArray

from vqcodec.bitstream import Buffer, Stream, limits_of
from vqcodec.content import FileLike, content_of
from vqcodec.errors import CorruptError, kernels_refuse
from vqcodec.media.array.bound import bound_of
from vqcodec.media.array.comparison import compare
from vqcodec.media.array.decoding import decode, write_decoded
from vqcodec.media.array.encoding import encode
from vqcodec.media.array.layout import region_of
from vqcodec.media.array.medium import MEDIUM
from vqcodec.media.array.signal import Array
from vqcodec.media.naming import with_article
from vqcodec.media.registry import read_any_stream, signal_of

__all__ = ["CODER", "ArrayCoder", "decode_array", "encode_array"]

Progress = Callable[[int, int], None]


class ArrayCoder:
    """Arrays to streams and back."""

    options = frozenset({"max_error", "max_relative_error", "lossless", "psnr", "missing", "chunk"})
    decode_options: frozenset[str] = frozenset()

    @kernels_refuse()
    def encode(
        self,
        signal: Array,
        *,
        max_error: float | str | None = None,
        max_relative_error: float | None = None,
        lossless: bool = False,
        psnr: float | None = None,
        missing: float | None = None,
        chunk: Sequence[int] | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> bytes:
        """The stream of an array; see `encode_array`."""
        bound = bound_of(
            max_error=max_error,
            max_relative_error=max_relative_error,
            lossless=lossless,
            psnr=psnr,
        )
        return encode(
            signal, bound, missing=missing, chunk=chunk, threads=threads, progress=progress
        )

    @kernels_refuse()
    def decode(
        self,
        stream: Stream,
        *,
        region: Sequence[slice] | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Array:
        """The array of a stream, or a region of it."""
        chosen = None if region is None else region_of(region, stream.header.extent)
        return decode(stream, region=chosen, threads=threads, progress=progress)

    @kernels_refuse()
    def write_decoded(
        self,
        stream: Stream,
        file: BinaryIO,
        *,
        format: str,
        region: Sequence[slice] | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> tuple[int, ...]:
        """Write the array of a stream, or a region of it, to a .npy file as it is decoded."""
        chosen = None if region is None else region_of(region, stream.header.extent)
        return write_decoded(stream, file, region=chosen, threads=threads, progress=progress)

    @kernels_refuse()
    def compare(self, stream: Stream, original: Array) -> str:
        """How far the stream is from its original, in words. Raises: CorruptError: too far."""
        return f"largest error {compare(stream, original):.6g}"


CODER = ArrayCoder()


def encode_array(
    values: Any,
    *,
    max_error: float | str | None = None,
    max_relative_error: float | None = None,
    lossless: bool = False,
    psnr: float | None = None,
    missing: float | None = None,
    chunk: Sequence[int] | None = None,
    max_samples: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Code an array of numbers so that every value comes back as near as is asked; no model.

    One of max_error, max_relative_error, lossless and psnr must be given. NaN, infinities and the
    missing value come back exactly. The same input gives the same bytes.

    Args:
        values: a NumPy array of bool, integers, floats or complex numbers, also one that is mapped
            from a file, which is read chunk by chunk; what NumPy makes an array of; or the path of
            a .npy file.
        max_error: largest |decoded - original|, or a text such as "0.1%" of the range of the
            finite values. Of the parts of complex numbers, as all that follows.
        max_relative_error: largest |decoded - original| / |original| of each value, 0 to 0.5.
        lossless: every bit.
        psnr: decibels over the range: a mean, which promises nothing of single values.
        missing: a value that stands for none, such as -9999; it does not count for the range.
        chunk: lengths of the parts that are decoded on their own; about a million values by
            default.
        max_samples: refuse files of more values; 2^28 by default.
        threads: at most so many chunks at a time; the bytes are the same.
        progress: is told how many of how many chunks are done.

    Raises:
        InputError: no such array, or no bound, or a number that makes no sense.
        LimitError: a file holds too many values.

    >>> import numpy
    >>> wave = numpy.sin(numpy.arange(10000) / 50).astype(numpy.float32)
    >>> data = encode_array(wave, max_error=0.001)
    >>> len(data) < 2000, bool(abs(decode_array(data) - wave).max() <= 0.001)
    (True, True)
    """
    return CODER.encode(
        signal_of(MEDIUM, values, limits_of(max_samples)),
        max_error=max_error,
        max_relative_error=max_relative_error,
        lossless=lossless,
        psnr=psnr,
        missing=missing,
        chunk=chunk,
        threads=threads,
        progress=progress,
    )


def decode_array(
    data: Buffer | FileLike,
    *,
    region: Sequence[slice] | None = None,
    max_samples: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """Decode a stream of an array, in native byte order and C order.

    Args:
        data: the bytes of a stream, the path of its file, or a file that is open for reading.
        region: only these values, slices as NumPy reads them, without steps: of the chunks that
            matter for it.
        max_samples: refuse arrays of more values; 2^28 by default.
        threads: at most so many chunks at a time.
        progress: is told how many of how many chunks are done.

    Raises:
        InputError: a file cannot be read, or a region that is not within the array.
        FormatError: the stream is damaged, cut, too large, or of no array.

    >>> import numpy
    >>> data = encode_array(numpy.arange(600).reshape(20, 30), lossless=True, chunk=(10, 10))
    >>> decode_array(data, region=(slice(9, 11), slice(4, 6)))
    array([[274, 275],
           [304, 305]])
    """
    medium, stream = read_any_stream(content_of(data), limits_of(max_samples))
    if medium.number != MEDIUM.number:
        raise CorruptError(f"a stream of {with_article(medium.name)}, not of an array")
    return CODER.decode(stream, region=region, threads=threads, progress=progress).values
