"""A learned lossy codec: signals to small, checked files that decode to the same codes anywhere.

>>> import numpy, vqcodec
>>> codec = vqcodec.load("photo")
>>> data = codec.encode(numpy.zeros((48, 64, 3), numpy.uint8), quality=50)
>>> vqcodec.decode(data).shape
(48, 64, 3)

Importing this package does not import torch; the first use of a codec does.
"""

import importlib
from typing import TYPE_CHECKING, Any

from vqcodec.errors import (
    BackendError,
    BadMagicError,
    BadModelError,
    ChecksumError,
    CorruptError,
    FormatError,
    InputError,
    LimitError,
    MissingDependencyError,
    ModelError,
    TruncatedError,
    UnknownModelError,
    UnsupportedVersionError,
    VqcodecError,
)

if TYPE_CHECKING:
    from vqcodec import vectors
    from vqcodec.codec import Codec, load
    from vqcodec.decoded_file import decode_file
    from vqcodec.live import SoundDecoder, SoundEncoder
    from vqcodec.media.array.coder import decode_array, encode_array
    from vqcodec.media.array.signal import Array
    from vqcodec.media.field.signal import Field
    from vqcodec.media.picture.rows import PictureRows
    from vqcodec.media.picture.signal import Picture
    from vqcodec.media.sound.blocks import SoundBlocks
    from vqcodec.media.sound.signal import Sound
    from vqcodec.media.video.encoder import VideoEncoder
    from vqcodec.media.video.player import open_video
    from vqcodec.media.video.signal import Video
    from vqcodec.model.catalog import add_model, find_model, list_models, remove_model
    from vqcodec.recent import decode
    from vqcodec.stream_info import StreamInfo, inspect

__all__ = [
    "Array",
    "BackendError",
    "BadMagicError",
    "BadModelError",
    "ChecksumError",
    "Codec",
    "CorruptError",
    "Field",
    "FormatError",
    "InputError",
    "LimitError",
    "MissingDependencyError",
    "ModelError",
    "Picture",
    "PictureRows",
    "Sound",
    "SoundBlocks",
    "SoundDecoder",
    "SoundEncoder",
    "StreamInfo",
    "TruncatedError",
    "UnknownModelError",
    "UnsupportedVersionError",
    "Video",
    "VideoEncoder",
    "VqcodecError",
    "add_model",
    "decode",
    "decode_array",
    "decode_file",
    "encode_array",
    "find_model",
    "inspect",
    "list_models",
    "load",
    "open_video",
    "remove_model",
    "vectors",
]

__version__ = "0.1.0"

_LAZY = {
    "Array": "vqcodec.media.array.signal",
    "Codec": "vqcodec.codec",
    "Field": "vqcodec.media.field.signal",
    "Picture": "vqcodec.media.picture.signal",
    "PictureRows": "vqcodec.media.picture.rows",
    "Sound": "vqcodec.media.sound.signal",
    "SoundBlocks": "vqcodec.media.sound.blocks",
    "SoundDecoder": "vqcodec.live",
    "SoundEncoder": "vqcodec.live",
    "StreamInfo": "vqcodec.stream_info",
    "Video": "vqcodec.media.video.signal",
    "VideoEncoder": "vqcodec.media.video.encoder",
    "add_model": "vqcodec.model.catalog",
    "decode": "vqcodec.recent",
    "decode_array": "vqcodec.media.array.coder",
    "decode_file": "vqcodec.decoded_file",
    "encode_array": "vqcodec.media.array.coder",
    "find_model": "vqcodec.model.catalog",
    "inspect": "vqcodec.stream_info",
    "list_models": "vqcodec.model.catalog",
    "load": "vqcodec.codec",
    "open_video": "vqcodec.media.video.player",
    "remove_model": "vqcodec.model.catalog",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "vectors":
        return importlib.import_module("vqcodec.vectors")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
