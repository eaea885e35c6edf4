"""zarr (format 3) keeps arrays within an error bound, and opens them by the codec's name.

    pip install 'vqcodec[zarr]'

    zarr.create_array("field.zarr", data=field, compressors=None,
                      serializer={"name": "vqcodec", "configuration": {"max_error": 0.01}})

Where vqcodec is installed, zarr finds the codec by itself; importing this makes it known as well.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from vqcodec.errors import CorruptError, InputError, MissingDependencyError
from vqcodec.media.array.coder import decode_array, encode_array
from vqcodec.plugins.arrays import ArrayOptions

try:
    from zarr.abc.codec import ArrayBytesCodec
    from zarr.registry import register_codec
except ImportError as error:
    raise MissingDependencyError(
        "vqcodec.plugins.zarr needs zarr: pip install 'vqcodec[zarr]'"
    ) from error

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer, NDBuffer
    from zarr.core.common import JSON

__all__ = ["VqcodecCodec"]

_NAME = "vqcodec"


@dataclass(frozen=True, kw_only=True)
class VqcodecCodec(ArrayOptions, ArrayBytesCodec):
    """The serializer: a chunk of an array to the bytes of a stream and back.

    Each chunk is coded on its own, on one thread: zarr has several under way.

    Raises:
        InputError: no bound, or a number that makes no sense; with the array's creation a dtype or
            a missing value that cannot be coded. CorruptError, when read: a chunk is damaged, or
            not of the array's dtype and shape.

    >>> VqcodecCodec(max_error=0.01).to_dict()
    {'name': 'vqcodec', 'configuration': {'max_error': 0.01}}
    """

    is_fixed_size = False

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        """From the metadata of an array."""
        options = data.get("configuration", {})
        if data.get("name") != _NAME or not isinstance(options, Mapping):
            raise InputError(f"no configuration of the codec {_NAME}: {data!r:.80}")
        return cls.from_json(options)

    def to_dict(self) -> dict[str, JSON]:
        """As it stands in the metadata of an array."""
        return {"name": _NAME, "configuration": self.to_json()}

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        """Refuse what could not be encoded, when an array is created."""
        self.check_array(dtype.to_native_dtype(), len(shape))

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Raise NotImplementedError: it depends on the values."""
        raise NotImplementedError

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        values = chunk_data.as_numpy_array()
        data = await asyncio.to_thread(encode_array, values, threads=1, **self.to_json())
        return chunk_spec.prototype.buffer.from_bytes(data)

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        dtype, shape = chunk_spec.dtype.to_native_dtype(), chunk_spec.shape
        values = await asyncio.to_thread(
            decode_array, chunk_data.to_bytes(), max_samples=max(1, math.prod(shape)), threads=1
        )
        if values.dtype != dtype.newbyteorder("=") or values.shape != shape:
            raise CorruptError(
                f"a chunk of {values.dtype} {values.shape}, the array's are {dtype} {shape}"
            )
        return chunk_spec.prototype.nd_buffer.from_numpy_array(values.astype(dtype, copy=False))


register_codec(_NAME, VqcodecCodec)
