"""A small picture of a stream, as file managers ask for it."""

import io

import vqcodec
from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.errors import InputError
from vqcodec.media.registry import find_coder, read_any_stream
from vqcodec_cli.failure import UsageError
from vqcodec_cli.inputs import Source

__all__ = ["make_thumbnail"]

# A decoder gives a signal at these parts of its size.
_SHRINKS = (8, 4, 2)
_FORMAT = "png"


def make_thumbnail(source: Source, size: int) -> bytes:
    """A PNG of what a stream shows, that fits into `size` x `size`.

    Raises:
        UsageError: what it holds cannot be shown. FormatError, UnknownModelError: as for decoding.
    """
    medium, stream = read_any_stream(source.read(), DEFAULT_LIMITS)
    if find_coder(medium) is not None or _FORMAT not in medium.formats.values():
        raise UsageError(f"there are no thumbnails of {medium.name}s")
    from vqcodec.model.catalog import locate_model

    path = locate_model(stream.header.fingerprint.hex())  # raises before torch is loaded
    codec = vqcodec.load(path)
    extent = max(medium.extent_of(stream))
    divisor = next((n for n in _SHRINKS if extent // n >= size), 1)
    try:
        signal = codec.decode_signal(stream, scale=1 / divisor)
    except InputError:
        # Not every model has all of these.
        signal = codec.decode_signal(stream)
    return _fitted(medium.write(signal, format=_FORMAT), size)


def _fitted(data: bytes, size: int) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        image.thumbnail((size, size))
        out = io.BytesIO()
        image.save(out, _FORMAT)
    return out.getvalue()
