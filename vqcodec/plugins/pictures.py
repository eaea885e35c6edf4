"""What hosts of pictures share: streams of pictures alone, and errors of the host's own kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vqcodec.bitstream import Buffer, Limits, Stream, inflated_chunk
from vqcodec.errors import InputError, VqcodecError
from vqcodec.media.naming import with_article
from vqcodec.media.picture.chunks import EXIF, ICC
from vqcodec.media.picture.medium import MEDIUM
from vqcodec.media.registry import read_any_stream

__all__ = ["FACTS", "encode_picture", "facts_of_picture", "picture_stream", "refused"]

# Name in Pillow's `info` -> side chunk.
FACTS = {"icc_profile": ICC, "exif": EXIF}


def picture_stream(data: Buffer, limits: Limits, *, partial: bool = False) -> Stream:
    """The stream of a picture, its checksums checked; partial: as for `read_any_stream`.

    Raises:
        InputError: it is of another medium. FormatError: as `read_any_stream`.
    """
    medium, stream = read_any_stream(data, limits, partial=partial)
    if medium.number != MEDIUM.number:
        raise InputError(f"the stream holds {with_article(medium.name)}, no {MEDIUM.name}")
    return stream


def facts_of_picture(stream: Stream, limits: Limits) -> dict[str, bytes]:
    """Colour profile and EXIF data, by their names in FACTS, where they are there.

    Raises:
        CorruptError, LimitError: a chunk does not inflate.
    """
    found = {name: inflated_chunk(stream, kind, limits) for name, kind in FACTS.items()}
    return {name: fact for name, fact in found.items() if fact is not None}


def encode_picture(thing: Any, *, model: str | None, device: str, **options: Any) -> bytes:
    """Encode what `Medium.wrap` takes as a picture, with options of `Codec.encode`.

    Raises:
        OSError: it is no picture, or there is no such model or device. ValueError: an option.
    """
    with refused():
        from vqcodec.recent import recent_codec

        codec = recent_codec(MEDIUM.default_model if model is None else model, device=device)
        picture = MEDIUM.wrap(thing)
    try:
        return codec.encode(picture, **options)
    except InputError:
        raise  # a ValueError
    except VqcodecError as error:
        raise OSError(str(error)) from error


@contextmanager
def refused() -> Iterator[None]:
    """Say what is refused as an OSError, as hosts of pictures do.

    >>> with refused():
    ...     picture_stream(b"GIF89a and so on", Limits())
    Traceback (most recent call last):
    OSError: not a vqcodec file (looks like GIF)
    """
    try:
        yield
    except VqcodecError as error:
        raise OSError(str(error)) from error
