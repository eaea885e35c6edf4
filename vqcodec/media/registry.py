"""Which media there are. Each is a folder; nobody else imports from it."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from vqcodec.bitstream import (
    BOUNDED,
    DEFAULT_LIMITS,
    MAX_HEADER_BYTES,
    PRIORS,
    Buffer,
    FileBytes,
    Limits,
    PartialStream,
    SoughtStream,
    Stream,
    as_bytes,
    open_stream,
    read_header,
    read_partial_stream,
    read_stream,
    seek_stream,
    whole_stream,
)
from vqcodec.content import FileLike, content_of, open_to_seek
from vqcodec.errors import BadModelError, CorruptError, LimitError, UnsupportedVersionError
from vqcodec.media.base import Medium
from vqcodec.media.coder import Coder, StreamingCoder
from vqcodec.media.naming import with_article

if TYPE_CHECKING:
    from vqcodec.media.workshop import Workshop

__all__ = [
    "MEDIA",
    "OPEN_LENGTH",
    "OWN_CODER",
    "RECIPES",
    "WITHOUT_MODEL",
    "check_stream",
    "find_coder",
    "find_medium",
    "find_streaming_coder",
    "find_workshop",
    "list_media",
    "medium_of",
    "medium_of_number",
    "open_any_stream",
    "read_any_stream",
    "signal_of",
]

# Name -> package that has `medium.MEDIUM` and, for training and evaluation, `workshop.WORKSHOP`.
MEDIA = {
    "picture": "vqcodec.media.picture",
    "sound": "vqcodec.media.sound",
    "array": "vqcodec.media.array",
    "video": "vqcodec.media.video",
    "vector": "vqcodec.media.vector",
    "field": "vqcodec.media.field",
}

# Those that need no model, and have no workshop.
WITHOUT_MODEL = frozenset({"array", "vector"})
# Those whose signals come without end: their streams are of open length.
OPEN_LENGTH = frozenset({"video"})
# Those that code their signals themselves: they have `coder.CODER`.
OWN_CODER = WITHOUT_MODEL | OPEN_LENGTH

# How people say which medium they mean where files do not tell: the rows of an array, apart.
RECIPES = {"vectors": "vector"}


def find_medium(name: str) -> Medium:
    """The medium of this name.

    Raises:
        BadModelError: there is none; a model may name one that this version lacks.

    >>> find_medium("picture").axes
    ('height', 'width')
    """
    if name not in MEDIA:
        raise BadModelError(f"no medium {name[:40]!r}; there are {', '.join(MEDIA)}")
    return cast(Medium, _part(name, "medium").MEDIUM)


def find_workshop(name: str) -> Workshop:
    """What training and evaluation need of the medium of this name. Raises as `find_medium`.

    >>> list(find_workshop("picture").recipes)
    ['photo', 'photo-psnr', 'digits']
    """
    find_medium(name)
    if name in WITHOUT_MODEL:
        raise BadModelError(f"there are no models of the medium {name!r}")
    return cast("Workshop", _part(name, "workshop").WORKSHOP)


def find_coder(medium: Medium) -> Coder | None:
    """What codes signals of a medium that does so itself, None where a `Codec` does.

    >>> find_coder(find_medium("picture")) is None
    True
    """
    if medium.name not in OWN_CODER:
        return None
    return cast("Coder", _part(medium.name, "coder").CODER)


def find_streaming_coder(medium: Medium) -> StreamingCoder | None:
    """What codes signals of a medium that come without end, None for any other medium.

    >>> find_streaming_coder(find_medium("array")) is None
    True
    """
    if medium.name not in OPEN_LENGTH:
        return None
    return cast("StreamingCoder", _part(medium.name, "coder").CODER)


def list_media() -> list[Medium]:
    """All media, in the order in which they are asked for a file.

    >>> list_media()[0].name
    'picture'
    """
    return [find_medium(name) for name in MEDIA]


def medium_of(data: bytes) -> Medium:
    """The medium that a file of this content belongs to.

    What none of them recognises is left to the first one, which says what it reads.

    >>> medium_of(b"GIF89a and so on").name
    'picture'
    """
    media = list_media()
    return next((medium for medium in media if medium.recognises(data[:64])), media[0])


def medium_of_number(number: int) -> Medium:
    """The medium that a stream's header names.

    Raises:
        UnsupportedVersionError: this version has none of that number.

    >>> medium_of_number(0).name
    'picture'
    """
    for medium in list_media():
        if medium.number == number:
            return medium
    raise UnsupportedVersionError(f"medium {number} needs a newer vqcodec, or the file is damaged")


def read_any_stream(
    data: Buffer, limits: Limits = DEFAULT_LIMITS, *, partial: bool = False
) -> tuple[Medium, Stream]:
    """Read a whole stream of any medium and check every byte of it; codes are not decoded.

    Args:
        partial: take what is left of a stream that was cut or damaged, a `PartialStream`; see
            `read_partial_stream`.

    Raises:
        FormatError: as `read_stream`, and what the medium itself refuses.

    >>> read_any_stream(b"GIF89a and so on")
    Traceback (most recent call last):
    vqcodec.errors.BadMagicError: not a vqcodec file (looks like GIF)
    """
    header = read_header(data, limits)
    medium = medium_of_number(header.medium)
    if PRIORS[header.prior] == BOUNDED and medium.name not in WITHOUT_MODEL:
        raise UnsupportedVersionError(
            f"prior {header.prior} of {with_article(medium.name)} needs a newer vqcodec"
        )
    if medium.name in OPEN_LENGTH:
        opened = open_stream(as_bytes(data), limits, letters=medium.letters, partial=partial)
        stream: Stream = whole_stream(opened, partial=partial)
        medium.check(stream.header, stream.side_chunks)
        # As many as one likes, drawn one by one: the header limits each of them.
        medium.extent_of(stream)
        return medium, stream
    read = read_partial_stream if partial else read_stream
    stream = read(data, limits, letters=medium.letters)
    medium.check(stream.header, stream.side_chunks)
    _check_size(medium.extent_of(stream), limits)
    return medium, stream


@contextmanager
def open_any_stream(
    data: Buffer | FileLike,
    limits: Limits = DEFAULT_LIMITS,
    *,
    partial: bool = False,
    part: bool = False,
) -> Iterator[tuple[Medium, Stream]]:
    """Read a stream of any medium, which may be used as long as the block lasts.

    Args:
        data: bytes, the path or URL of a file, or one that is open for reading.
        partial: as for `read_any_stream`.
        part: not all regions will be asked for. Of a file that can seek only these are read, and
            checked, then; header and side chunks at once.

    Raises:
        InputError: the file cannot be read. FormatError: as `read_any_stream`.
    """
    if part and not partial:
        with open_to_seek(data) as file:
            if file is not None:
                sought = FileBytes(file)
                head = read_header(sought[:MAX_HEADER_BYTES], limits)
                medium = medium_of_number(head.medium)
                if medium.name in OPEN_LENGTH:
                    yield read_any_stream(content_of(data), limits)
                    return
                stream = seek_stream(sought, limits, letters=medium.letters)
                medium.check(stream.header, stream.side_chunks)
                _check_size(medium.extent_of(stream), limits)
                yield medium, stream
                return
    yield read_any_stream(content_of(data), limits, partial=partial)


def signal_of(medium: Medium, thing: Any, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The signal in a file, given by path, open for reading or as bytes, or in what `wrap` takes.

    A large file that is given by its path is read as it is asked for.

    Raises:
        InputError: it is none, or no file that can be read. LimitError: the file's is too large.

    >>> signal_of(find_medium("picture"), b"P5 64 48 255 " + bytes(64 * 48)).extent
    (48, 64)
    """
    if isinstance(thing, str | os.PathLike) and os.path.isfile(thing):
        opened = medium.open(os.fsdecode(thing), limits)
        if opened is not None:
            return opened
    content = content_of(thing)
    if isinstance(content, bytes | bytearray | memoryview):
        return medium.read(bytes(content), limits)
    return medium.wrap(content)


def check_stream(medium: Medium, stream: Stream, limits: Limits) -> None:
    """Judge a stream that was read already, or made, as `read_any_stream` judges its bytes.

    Raises:
        LimitError: it is too large. CorruptError: its parts contradict each other.
    """
    header = stream.header
    _check_size(header.extent, limits)
    is_whole = not isinstance(stream, PartialStream | SoughtStream)
    if is_whole and header.regions != len(stream.codes):
        raise CorruptError(
            f"the header says {header.regions} regions, there are {len(stream.codes)} payloads"
        )
    medium.check(header, stream.side_chunks)
    _check_size(medium.extent_of(stream), limits)


def _check_size(extent: Sequence[int], limits: Limits) -> None:
    """Refuse a signal, as it is coded or as it is decoded, of more samples than allowed."""
    if (samples := math.prod(extent)) > limits.max_samples:
        raise LimitError(
            f"the signal has {samples} samples, more than the limit of {limits.max_samples}",
            argument="max_samples",
        )


def _part(name: str, part: str) -> Any:
    return importlib.import_module(f"{MEDIA[name]}.{part}")
