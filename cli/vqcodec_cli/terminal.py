"""Lines for people and machines, on streams that may not be able to show every character.

How much is said is a matter of the whole command line, `--quiet` or `--verbose`: see `loudness`.
"""

import enum
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

__all__ = ["Loudness", "how_loud", "loudness", "printable", "say", "say_json", "say_lines"]


class Loudness(enum.IntEnum):
    """How much the command says: only what fails, what is done, or how as well."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


_LOUDNESS = ContextVar("loudness", default=Loudness.NORMAL)


def how_loud() -> Loudness:
    """How much is to be said."""
    return _LOUDNESS.get()


@contextmanager
def loudness(level: Loudness) -> Iterator[None]:
    """Say so much as long as the block lasts."""
    token = _LOUDNESS.set(level)
    try:
        yield
    finally:
        _LOUDNESS.reset(token)


def printable(text: str) -> str:
    """The text with control characters and undecodable bytes escaped, so that it is one line."""
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def say(line: str, *, to: TextIO | None = None) -> None:
    """Print a line, to standard output if nothing else is said, or nowhere if that is closed.

    What would go to standard output is for people who have not asked for quiet.

    What would act on a terminal, and what the stream's encoding does not have, is escaped: the
    work is done by then, and no name is worth failing for.
    """
    if to is None and how_loud() is Loudness.QUIET:
        return
    stream = sys.stdout if to is None else to
    if stream is not None:
        encoding = stream.encoding or "utf-8"
        shown = printable(line).encode(encoding, "backslashreplace").decode(encoding)
        stream.write(shown + "\n")


def say_lines(text: str) -> None:
    """Print a text of several lines; see `say`."""
    for line in text.split("\n"):
        say(line)


def say_json(record: Mapping[str, Any]) -> None:
    """Print a record as one line of JSON, in ASCII without control characters."""
    say(json.dumps(record).replace("\x7f", "\\u007f"))


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
