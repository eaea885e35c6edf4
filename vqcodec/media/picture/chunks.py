"""What a stream of a picture carries beside its codes: alpha, data range, profile and EXIF data."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vqcodec.bitstream import DEFAULT_LIMITS, Chunk, Header
from vqcodec.errors import CorruptError, InputError
from vqcodec.grid import whole
from vqcodec.media.picture.alpha_rows import check_payload
from vqcodec.media.picture.data_range import EIGHT_BITS, pack_range

if TYPE_CHECKING:
    from vqcodec.media.picture.rows import PictureRows
    from vqcodec.media.picture.signal import Picture

__all__ = ["ALPHA", "EXIF", "ICC", "check_alpha", "pack_chunks"]

ALPHA = "A"
ICC = "i"
EXIF = "e"


def pack_chunks(picture: Picture | PictureRows, *, facts: bool) -> list[Chunk]:
    """Return the side chunks of a picture; without `facts` what pixels mean nothing without.

    Raises: InputError for more bytes of a profile or of EXIF data than a reader takes by default.
    """
    kept = ((ICC, picture.icc), (EXIF, picture.exif)) if facts else ()
    chunks = [Chunk(kind, _pack_fact(raw)) for kind, raw in kept if raw is not None]
    if _has_alpha(picture.channels):
        from vqcodec.media.picture.alpha import encode_alpha
        from vqcodec.media.picture.channels import alpha_of

        alpha = alpha_of(picture.window(whole(picture.extent)))
        chunks.append(Chunk(ALPHA, encode_alpha(alpha)))
    if picture.bits != EIGHT_BITS.bits:
        chunks.append(pack_range(picture.data_range))
    return chunks


def check_alpha(header: Header, chunks: Sequence[Chunk]) -> None:
    """Raise CorruptError unless alpha is there exactly where a channel is alpha, as a whole plane.

    Little memory is taken for that, and what is damaged is refused before any network runs.
    """
    payloads = [chunk.payload for chunk in chunks if chunk.type == ALPHA]
    if _has_alpha(header.channels) != bool(payloads):
        state = "has an alpha chunk and no channel for it" if payloads else "lacks its alpha chunk"
        raise CorruptError(f"a picture of {header.channels} channels {state}")
    height, width = header.extent
    for payload in payloads:
        check_payload(payload, height, width)


def _has_alpha(channels: int) -> bool:
    """Whether the last of so many channels is alpha, carried in a chunk of its own."""
    return channels in (2, 4)


def _pack_fact(raw: bytes) -> bytes:
    if len(raw) > DEFAULT_LIMITS.max_metadata_bytes:
        raise InputError(
            f"a colour profile or EXIF data of {len(raw)} bytes is more than the "
            f"{DEFAULT_LIMITS.max_metadata_bytes} that a stream may carry: leave it out"
        )
    return zlib.compress(raw, 9)
