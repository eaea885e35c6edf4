"""What a stream holds, told from its bytes alone: no model, no decoding."""

from dataclasses import dataclass

from vqcodec.bitstream.chunk import ALPHA, EXIF, ICC, MODEL_NAME
from vqcodec.bitstream.container import Buffer, Stream, as_bytes, read_stream
from vqcodec.bitstream.header import FORMAT_VERSION, KINDS, PRIORS
from vqcodec.bitstream.limits import DEFAULT_LIMITS, Limits
from vqcodec.media.picture.chunks import unpack_metadata, unpack_model_name

__all__ = ["StreamInfo", "inspect"]


@dataclass(frozen=True, kw_only=True)
class StreamInfo:
    """A stream's contents. Sizes are in bytes, bits_per_pixel comes from the whole file.

    stages: per level, coarse to fine. fingerprint: 16 hexadecimal digits. model_name: a hint
    that the writer left, or None. icc_bytes, exif_bytes: inflated, 0 if absent. other_chunks:
    the types of chunks that this version skips.
    """

    format_version: int
    kind: str
    width: int
    height: int
    channels: int
    stages: tuple[int, ...]
    prior: str
    fingerprint: str
    model_name: str | None
    tiles: int
    file_bytes: int
    code_bytes: int
    alpha_bytes: int
    icc_bytes: int
    exif_bytes: int
    other_chunks: str
    bits_per_pixel: float


def inspect(data: Buffer, limits: Limits = DEFAULT_LIMITS) -> StreamInfo:
    """Check a whole stream and tell what it holds; the codes are not decoded.

    Raises: as read_stream; also CorruptError or LimitError for metadata that does not inflate.
    """
    data = as_bytes(data)
    stream = read_stream(data, limits)
    header = stream.header
    name = stream.payload(MODEL_NAME)
    known = (ALPHA, ICC, EXIF, MODEL_NAME)
    return StreamInfo(
        format_version=FORMAT_VERSION,
        kind=KINDS[header.kind],
        width=header.width,
        height=header.height,
        channels=header.channels,
        stages=header.stages,
        prior=PRIORS[header.prior_mode],
        fingerprint=header.fingerprint.hex(),
        model_name=None if name is None else unpack_model_name(name),
        tiles=header.tiles,
        file_bytes=len(data),
        code_bytes=sum(len(payload) for payload in stream.codes),
        alpha_bytes=len(stream.payload(ALPHA) or b""),
        icc_bytes=_inflated_size(stream, ICC, limits),
        exif_bytes=_inflated_size(stream, EXIF, limits),
        other_chunks="".join(c.type for c in stream.side_chunks if c.type not in known),
        bits_per_pixel=8 * len(data) / (header.width * header.height),
    )


def _inflated_size(stream: Stream, chunk_type: str, limits: Limits) -> int:
    """Return how many bytes the metadata of a type has once inflated, 0 without it."""
    payload = stream.payload(chunk_type)
    return 0 if payload is None else len(unpack_metadata(payload, limits))
