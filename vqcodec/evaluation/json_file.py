"""JSON that somebody else may have written: read within limits, and nothing in it believed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from vqcodec.errors import InputError
from vqcodec.files import read_bounded

__all__ = ["read_json", "read_number", "read_text"]

# An integer in JSON may be too large for any float.
_LARGEST = 1e300


def read_json(path: str | Path, *, limit: int, what: str) -> Any:
    """Read a JSON file of at most `limit` bytes; `what` it should be is for the message.

    Raises:
        InputError: more bytes, or not JSON.
        OSError: it cannot be read.
    """
    data = read_bounded(path, limit, what)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error


def read_number(
    entry: dict[str, Any], field: str, *, low: float = -math.inf, high: float = math.inf
) -> float:
    """A finite number from `low` to `high` that stands in a field, whole if it is whole there.

    Raises:
        InputError: it does not stand there.

    >>> read_number({"size": 100}, "size", low=0)
    100
    """
    value: Any = entry.get(field)
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not known or not max(low, -_LARGEST) <= value <= min(high, _LARGEST):
        raise InputError(f"{field} is {value!r:.60}")
    number: float = value
    return number


def read_text(entry: Any, field: str) -> str:
    """A printable line of text that stands in a field.

    Raises:
        InputError: it does not stand there.
    """
    value = entry.get(field) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InputError(f"{field} is not a line of text: {value!r:.60}")
    return value
