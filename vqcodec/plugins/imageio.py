"""imageio reads and writes `.vqc` once this has been imported.

pip install 'vqcodec[imageio]'

import imageio.v3 as iio
import vqcodec.plugins.imageio

iio.imwrite("photo.vqc", iio.imread("photo.png"), quality=70)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.bitstream import DEFAULT_LIMITS, Stream
from vqcodec.bitstream.magic import MAGIC
from vqcodec.errors import MissingDependencyError
from vqcodec.plugins.pictures import encode_picture, facts_of_picture, picture_stream, refused

try:
    from imageio import config
    from imageio.core.request import URI_BYTES, InitializationError, IOMode, Request
    from imageio.core.v3_plugin_api import ImageProperties, PluginV3
except ImportError as error:
    raise MissingDependencyError(
        "vqcodec.plugins.imageio needs imageio: pip install 'vqcodec[imageio]'"
    ) from error

__all__ = ["VqcPlugin"]

_NAME, _SUFFIX = "vqcodec", ".vqc"

Index = int | EllipsisType | None


class VqcPlugin(PluginV3):
    """A file with the stream of one picture, as `imageio.v3` sees it.

    Raises:
        InitializationError: it is none, which leaves it to other plug-ins. OSError, when it is
            read: it is damaged, of another medium, or its model is not installed.
    """

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._data = b""
        if request.mode.io_mode == IOMode.write:
            if request.extension != _SUFFIX:
                raise InitializationError(f"writes {_SUFFIX}, not {request.extension}")
        else:
            file = request.get_file()
            head = file.read(len(MAGIC))
            if head != MAGIC:
                raise InitializationError(f"not a {_NAME} file")
            self._data = head + file.read()

    def read(
        self,
        *,
        index: Index = None,
        scale: float = 1,
        region: tuple[slice, slice] | None = None,
        device: str = "auto",
    ) -> NDArray[np.uint8]:
        """The pixels as `Codec.decode` gives them, uint8 (H, W) or (H, W, C).

        Args:
            index: 0 or None for the picture; ... puts an axis of one before it.
            scale, region: as for `Codec.decode`.
        """
        is_batch = _checked(index)
        with refused():
            from vqcodec.recent import recent_codec

            codec = recent_codec(self._stream.header.fingerprint.hex(), device=device)
            pixels = codec.decode(self._stream, scale=scale, region=region)
        return pixels[np.newaxis] if is_batch else pixels

    def iter(self, **options: Any) -> Iterator[NDArray[np.uint8]]:
        """The one picture."""
        yield self.read(**options)

    def write(
        self,
        ndimage: Any,
        *,
        is_batch: bool = False,
        model: str | None = None,
        device: str = "auto",
        **options: Any,
    ) -> bytes | None:
        """Encode a picture, an array as `Codec.encode` takes it, with options of that.

        Args:
            is_batch: whether the array is a batch, which must be of one picture.

        Returns:
            the bytes, where imageio was asked to write to "<bytes>".
        """
        array = np.asarray(ndimage)
        if is_batch:
            if len(array) != 1:
                raise ValueError(f"a {_SUFFIX} file holds one picture, got {len(array)}")
            array = array[0]
        data = encode_picture(array, model=model, device=device, **options)
        # Opened only now: what cannot be encoded leaves no file.
        self.request.get_file().write(data)
        return data if self.request._uri_type == URI_BYTES else None

    def properties(self, index: Index = 0) -> ImageProperties:
        """Shape and dtype of what `read` gives, without decoding it."""
        is_batch = _checked(index)
        header = self._stream.header
        shape = (*header.extent, *([header.channels] if header.channels > 1 else []))
        return ImageProperties(
            shape=(1, *shape) if is_batch else shape,
            dtype=np.dtype(np.uint8),
            n_images=1 if is_batch else None,
            is_batch=is_batch,
        )

    def metadata(self, index: Index = 0, exclude_applied: bool = True) -> dict[str, Any]:
        """Colour profile and EXIF data, bytes, where they are there; the model's fingerprint."""
        _checked(index)
        with refused():
            facts = facts_of_picture(self._stream, DEFAULT_LIMITS)
        return {"fingerprint": self._stream.header.fingerprint.hex(), **facts}

    @cached_property
    def _stream(self) -> Stream:
        with refused():
            return picture_stream(self._data, DEFAULT_LIMITS)


def _checked(index: Index) -> bool:
    """Whether a batch is asked for. Raises: ValueError if there is no such picture."""
    if index not in (0, None, ...):
        raise ValueError(f"there is one picture, of index 0, got {index}")
    return index is ...


# Bytes without a name are offered to each plug-in in turn, and some warn or read all of them: ours,
# which looks at a few, is the first.
_others = dict(config.known_plugins)
config.known_plugins.clear()
config.known_plugins[_NAME] = config.PluginConfig(
    name=_NAME, class_name="VqcPlugin", module_name=__name__, install_name=_NAME
)
config.known_plugins.update(_others)
config.known_extensions[_SUFFIX] = [
    config.FileExtension(name="vqcodec picture", extension=_SUFFIX, priority=[_NAME])
]
