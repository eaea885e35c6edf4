"""Lines for people and machines, on streams that may not be able to show every character."""

import json
import sys
from collections.abc import Mapping
from typing import Any, TextIO

__all__ = ["printable", "say", "say_json", "say_lines"]


def printable(text: str) -> str:
    """The text with control characters and undecodable bytes escaped, so that it is one line."""
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def say(line: str, *, to: TextIO | None = None) -> None:
    """Print a line, to standard output if nothing else is said, or nowhere if that is closed.

    What would act on a terminal, and what the stream's encoding does not have, is escaped: the
    work is done by then, and no name is worth failing for.
    """
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
