"""What the commands ask of the media: which files there are, and what is to be written."""

import os

from vqcodec.bitstream import Limits, read_header
from vqcodec.errors import FormatError
from vqcodec.media.base import Medium
from vqcodec.media.registry import list_media, medium_of_number
from vqcodec_cli.failure import UsageError
from vqcodec_cli.inputs import Source
from vqcodec_cli.output import STDOUT

# More than any header of a stream takes.
_HEAD_BYTES = 256


def input_suffixes() -> tuple[str, ...]:
    """Suffixes of the files in a folder that any medium reads."""
    return tuple(suffix for medium in list_media() for suffix in medium.suffixes)


def suffix_of_stream(source: Source, limits: Limits) -> str:
    """The suffix that a decoded stream gets, by the medium that its header names.

    What cannot be read, or is no stream, gets that of the first medium; decoding it says why not.
    So does a pipe, of which nothing may be taken before it is decoded.
    """
    medium = list_media()[0]
    if not source.is_stdin and os.path.isfile(source.name):
        try:
            with open(source.name, "rb") as file:
                header = read_header(file.read(_HEAD_BYTES), limits)
            medium = medium_of_number(header.medium)
        except (OSError, FormatError):
            pass
    return next(iter(medium.formats))


def check_format(target: str) -> None:
    """Refuse an output whose suffix no medium writes, before anything is decoded.

    Raises:
        UsageError: there is no such format.
    """
    known = {suffix: None for medium in list_media() for suffix in medium.formats}
    suffix = os.path.splitext(target)[1].lower()
    if target != STDOUT and suffix not in known:
        raise UsageError(
            f"cannot write {ascii(suffix) if suffix else 'a name without suffix'}: "
            f"use {', '.join(known)}"
        )


def format_of(medium: Medium, target: str) -> str:
    """The format that a medium writes to an output of this name; its first one to stdout.

    Raises:
        UsageError: the medium has no format of that suffix.
    """
    suffix = os.path.splitext(target)[1].lower()
    if target == STDOUT:
        return next(iter(medium.formats.values()))
    if suffix not in medium.formats:
        raise UsageError(
            f"cannot write a {medium.name} as {suffix!a}: use {', '.join(medium.formats)}"
        )
    return medium.formats[suffix]
