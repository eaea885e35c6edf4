"""What the commands ask of the media: which files there are, and what is to be written."""

import os
from typing import TYPE_CHECKING

from vqcodec_cli.failure import UsageError
from vqcodec_cli.inputs import Source
from vqcodec_cli.output import STDOUT

if TYPE_CHECKING:
    from vqcodec.media.base import Medium

__all__ = ["check_format", "format_of", "input_suffixes", "suffix_of_stream"]

_HEAD_BYTES = 8


def input_suffixes() -> tuple[str, ...]:
    """Suffixes of the files in a folder that any medium reads."""
    from vqcodec.media.registry import list_media

    return tuple(suffix for medium in list_media() for suffix in medium.suffixes)


def suffix_of_stream(source: Source) -> str:
    """The suffix that a decoded stream gets, by the medium that its first bytes name.

    What cannot be read, or is no stream, gets that of the first medium; decoding it says why not.
    """
    from vqcodec.errors import UnsupportedVersionError
    from vqcodec.media.registry import list_media, medium_of_number

    medium = list_media()[0]
    if not source.is_stdin:
        try:
            with open(source.name, "rb") as file:
                head = file.read(_HEAD_BYTES)
            medium = medium_of_number(head[-1] & 15 if len(head) == _HEAD_BYTES else medium.number)
        except (OSError, UnsupportedVersionError):
            pass
    return next(iter(medium.formats))


def check_format(target: str) -> None:
    """Refuse an output whose suffix no medium writes, before anything is decoded.

    Raises:
        UsageError: there is no such format.
    """
    from vqcodec.media.registry import list_media

    known = {suffix: None for medium in list_media() for suffix in medium.formats}
    suffix = os.path.splitext(target)[1].lower()
    if target != STDOUT and suffix not in known:
        raise UsageError(
            f"cannot write {suffix or 'a name without suffix'!a}: use {', '.join(known)}"
        )


def format_of(medium: "Medium", target: str) -> str:
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
