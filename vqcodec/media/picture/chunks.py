"""Colour profile, EXIF and the model's name, as the payloads of optional chunks."""

import zlib

from vqcodec.bitstream.chunk import EXIF, ICC, MODEL_NAME, Chunk
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.errors import CorruptError, InputError, LimitError

__all__ = ["pack_metadata", "pack_model_name", "unpack_metadata", "unpack_model_name"]

MAX_NAME_BYTES = 64


def pack_metadata(*, icc: bytes | None = None, exif: bytes | None = None) -> list[Chunk]:
    """Return the chunks that carry a colour profile and EXIF data; None is left out.

    Raises: InputError for more bytes than a reader accepts by default.
    """
    parts = ((ICC, icc), (EXIF, exif))
    for _, raw in parts:
        if raw is not None and len(raw) > DEFAULT_LIMITS.max_metadata_bytes:
            raise InputError(
                f"a colour profile or EXIF data of {len(raw)} bytes is more than the "
                f"{DEFAULT_LIMITS.max_metadata_bytes} that a stream may carry: leave it out"
            )
    return [Chunk(kind, zlib.compress(raw, 9)) for kind, raw in parts if raw is not None]


def unpack_metadata(payload: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Return the bytes that an ICC or EXIF chunk carries.

    Never inflates more than limits.max_metadata_bytes.
    Raises: LimitError if there is more; CorruptError if the payload is not one zlib stream.
    """
    inflater = zlib.decompressobj()
    try:
        # One byte more than is allowed tells a full payload from one that is too long.
        raw = inflater.decompress(payload, limits.max_metadata_bytes + 1)
    except zlib.error as error:
        raise CorruptError(f"a metadata chunk does not inflate: {error}") from error
    if len(raw) > limits.max_metadata_bytes:
        raise LimitError(
            f"a metadata chunk inflates to more than the limit of {limits.max_metadata_bytes} bytes"
        )
    if not inflater.eof or inflater.unused_data:
        raise CorruptError("a metadata chunk is not exactly one zlib stream")
    return raw


def pack_model_name(name: str) -> Chunk:
    """Return the chunk that tells a person which model wrote the stream.

    name: 1 to 64 bytes of printable text. A reader finds the model by fingerprint, never by
    this name.
    Raises: InputError for any other name.
    """
    raw = name.encode("utf-8", "surrogatepass")
    if not name.isprintable() or not 1 <= len(raw) <= MAX_NAME_BYTES:
        raise InputError(f"a model name is 1 to {MAX_NAME_BYTES} printable bytes, got {name!a}")
    return Chunk(MODEL_NAME, raw)


def unpack_model_name(payload: bytes) -> str:
    """Return the name in a model name chunk.

    Raises: CorruptError if it is not 1 to 64 bytes of printable UTF-8.
    """
    try:
        name = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorruptError(f"the model name is not UTF-8: {payload[:16]!r}") from error
    if not name.isprintable() or not 1 <= len(payload) <= MAX_NAME_BYTES:
        raise CorruptError(f"the model name is not 1 to 64 printable bytes: {name[:32]!a}")
    return name
