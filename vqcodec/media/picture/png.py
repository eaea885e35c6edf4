"""What a PNG says beside its pixels, read here: Pillow calls a long text a damaged picture."""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.errors import InputError, LimitError

__all__ = ["head_of_png", "split_png"]

_MAGIC = b"\x89PNG\r\n\x1a\n"
_TEXT = (b"tEXt", b"zTXt", b"iTXt")


def split_png(data: bytes) -> tuple[bytes, dict[str, Any]]:
    """Return a PNG without its texts and colour profile, and the facts that stood in it.

    Other files and chunks pass as they are. The facts are named as in `info` of a Pillow image:
    icc_profile, cicp. A profile that does not inflate is left out.
    Raises: LimitError for a profile of more than 16 MiB.
    """
    facts: dict[str, Any] = {}
    if not data.startswith(_MAGIC):
        return data, facts
    kept, begin = [], 0
    for kind, start, end in _chunks(data):
        if kind == b"cICP":
            facts["cicp"] = data[start + 8 : end - 4]
        if kind == b"iCCP":
            icc = _inflate_profile(data[start + 8 : end - 4])
            if icc:
                facts["icc_profile"] = icc
        elif kind not in _TEXT:
            continue
        kept.append(data[begin:start])
        begin = end
    # A file without any such chunk, as most are, is not copied.
    return (b"".join([*kept, data[begin:]]) if kept else data), facts


def head_of_png(file: BinaryIO) -> bytes:
    """Return a PNG without its pixels and texts; whatever stood behind the pixels is before them.

    Raises: InputError for a chunk that is cut off, and for more than 16 MiB besides the pixels.
    """
    limit = DEFAULT_LIMITS.max_metadata_bytes
    kept, size = [file.read(len(_MAGIC))], 0
    while head := file.read(8):
        if len(head) < 8:
            raise InputError("a PNG ends within a chunk")
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            break
        if kind in (b"IDAT", *_TEXT):
            file.seek(length + 4, os.SEEK_CUR)
            continue
        size += length
        if size > limit:
            raise InputError(f"a PNG with more than {limit} bytes besides its pixels")
        body = file.read(length + 4)
        if len(body) < length + 4:
            raise InputError("a PNG ends within a chunk")
        kept.append(head + body)
    empty = struct.pack(">I4sI", 0, b"IDAT", zlib.crc32(b"IDAT"))
    return b"".join([*kept, empty])


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, begin and end of the whole chunks in a PNG."""
    start = len(_MAGIC)
    while start + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if end > len(data):
            return
        yield kind, start, end
        start = end


def _inflate_profile(body: bytes) -> bytes | None:
    """Return the profile in the body of a chunk iCCP: a name, a zero, a method, deflated bytes."""
    limit = DEFAULT_LIMITS.max_metadata_bytes
    deflated = body.partition(b"\x00")[2][1:]
    inflater = zlib.decompressobj()
    try:
        # One byte more than is allowed tells a full profile from one that is too long.
        profile = inflater.decompress(deflated, limit + 1)
    except zlib.error:
        return None
    if len(profile) > limit:
        raise LimitError(f"the colour profile has more bytes than the limit of {limit}")
    return profile if inflater.eof else None
