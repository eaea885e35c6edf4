"""numcodecs, and with it zarr's format 2 and kerchunk, keeps arrays within an error bound.

    pip install 'vqcodec[numcodecs]'

    codec = numcodecs.get_codec({"id": "vqcodec", "max_error": 0.01})
    zarr.create_array("field.zarr", data=field, zarr_format=2, compressors=codec)

Where vqcodec is installed, numcodecs finds the codec by itself; importing this makes it known as
well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.array.coder import decode_array, encode_array
from vqcodec.plugins.arrays import ArrayOptions
from vqcodec.stream_info import inspect

try:
    from numcodecs import register_codec
    from numcodecs.abc import Codec
    from numcodecs.compat import ensure_ndarray, ndarray_copy
except ImportError as error:
    raise MissingDependencyError(
        "vqcodec.plugins.numcodecs needs numcodecs: pip install 'vqcodec[numcodecs]'"
    ) from error

__all__ = ["Vqcodec"]


@dataclass(frozen=True, kw_only=True)
class Vqcodec(ArrayOptions, Codec):  # type: ignore[misc]  # numcodecs has no types
    """An array to the bytes of a stream, and back to memory laid out as that which was given.

    Each chunk is coded on its own, on one thread: hosts have several under way.

    Raises:
        InputError: no bound, or a number that makes no sense.

    >>> import numpy
    >>> codec = Vqcodec(max_error=0.01)
    >>> wave = numpy.sin(numpy.arange(1000) / 50)
    >>> bool(abs(codec.decode(codec.encode(wave)) - wave).max() <= 0.01), codec.get_config()
    (True, {'id': 'vqcodec', 'max_error': 0.01})
    """

    codec_id = "vqcodec"

    def encode(self, buf: Any) -> bytes:
        """The stream of an array, or of the bytes or items of another buffer.

        Raises:
            InputError: not what `vqcodec.encode_array` takes, or of more values than `decode` does.
        """
        values, options = ensure_ndarray(buf), self.to_json()
        if values.size > (most := DEFAULT_LIMITS.max_samples):
            raise InputError(f"at most {most} values are read back, got {values.size}")
        if values.flags.f_contiguous and not values.flags.c_contiguous:
            # Decoding gives C order: of the transposed axes it is the same memory.
            values = values.T
            if self.chunk is not None:
                options["chunk"] = self.chunk[::-1]
        return encode_array(values, threads=1, **options)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """The values in the order of bytes that they had; axes of Fortran order are transposed.

        Args:
            buf: what `encode` gave.
            out: memory that the values are copied into.

        Raises:
            FormatError: the stream is damaged, cut, too large, or of no array.
        """
        data = ensure_ndarray(buf).tobytes()
        values = decode_array(data, threads=1)
        is_big = inspect(data).facts["big_endian"]
        dtype = values.dtype.newbyteorder(">" if is_big else "<")
        return ndarray_copy(values.astype(dtype, copy=False), out)

    def get_config(self) -> dict[str, Any]:
        """As it stands in the metadata of an array."""
        return {"id": self.codec_id, **self.to_json()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """From the metadata of an array, without its id."""
        return cls.from_json(config)


register_codec(Vqcodec)
