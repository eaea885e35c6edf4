"""A part of a configuration: plain numbers by name, written as JSON, read without trust.

A part is a frozen dataclass with a `kind`; each field says with `whole` or `wholes` what values it
may have, so that an absurd number in a file is refused before anything is built from it. A field
that is added later has a default that means "as before": files that lack it stay valid.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

from vqcodec.errors import BadModelError

__all__ = ["Part", "as_text", "parse_object", "read_part", "shown", "whole", "wholes"]

_MOST_AXES = 16

P = TypeVar("P", bound="Part")


def whole(low: int, high: int, *, default: Any = dataclasses.MISSING) -> Any:
    """A field that holds a whole number from `low` to `high`."""
    limits = {"low": low, "high": high, "list": False}
    return dataclasses.field(metadata=limits, default=default)


def wholes(low: int, high: int, *, default: Any = dataclasses.MISSING) -> Any:
    """A field that holds 1 to 16 whole numbers from `low` to `high`, one for each axis."""
    limits = {"low": low, "high": high, "list": True}
    return dataclasses.field(metadata=limits, default=default)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """Base of all parts.

    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Pool(Part):
    ...     kind: ClassVar[str] = "pool"
    ...     side: int = whole(1, 64)
    >>> Pool(side=8).as_dict()
    {'kind': 'pool', 'side': 8}
    >>> read_part({"kind": "pool", "side": 0}, [Pool], "a pool")
    Traceback (most recent call last):
    vqcodec.errors.BadModelError: a pool: side must be a whole number from 1 to 64, is 0
    """

    kind: ClassVar[str]

    def as_dict(self) -> dict[str, Any]:
        """The part as JSON holds it: its kind, then every field."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], what: str) -> Self:
        """Build the part of what JSON holds besides the kind.

        Raises:
            BadModelError: an unknown or missing field, a wrong type, or a number out of range.
        """
        known = {field.name: field for field in dataclasses.fields(cls)}
        if unknown := sorted(set(fields) - set(known)):
            raise BadModelError(f"{what} has unknown fields: {shown(unknown)}")
        values = {name: _checked(known[name], value, what) for name, value in fields.items()}
        try:
            return cls(**values)
        except TypeError as error:
            raise BadModelError(f"{what} lacks a field: {error}") from error


def read_part(data: Any, kinds: Sequence[type[P]], what: str) -> P:
    """Read a part of one of these kinds from what JSON holds.

    Args:
        what: what to call it in the message of an error.

    Raises:
        BadModelError: no such kind, or its fields are not what the kind wants.
    """
    if not isinstance(data, dict):
        raise BadModelError(f"{what} must be an object, is {shown(data)}")
    fields = dict(data)
    kind = fields.pop("kind", None)
    for known in kinds:
        if known.kind == kind:
            return known.from_fields(fields, what)
    raise BadModelError(
        f"{what} is of the unknown kind {shown(kind)}; there are {', '.join(k.kind for k in kinds)}"
    )


def as_text(data: Any) -> str:
    """Write as JSON with sorted keys and no spaces: equal content gives equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def parse_object(text: str, what: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        BadModelError: not JSON, or no object.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        # A ValueError that is no JSONDecodeError: a number of thousands of digits.
        raise BadModelError(f"{what} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadModelError(f"{what} is not a JSON object: {shown(data)}")
    return data


def shown(value: Any) -> str:
    """A value as the message of an error shows it: in at most 80 characters."""
    return repr(value)[:80]


def _checked(field: dataclasses.Field[Any], value: Any, what: str) -> Any:
    low, high = field.metadata["low"], field.metadata["high"]
    span = f"from {low} to {high}, is {shown(value)}"
    if not field.metadata["list"]:
        if not _fits(value, low, high):
            raise BadModelError(f"{what}: {field.name} must be a whole number {span}")
        return value
    sound = isinstance(value, list) and 1 <= len(value) <= _MOST_AXES
    if not sound or not all(_fits(item, low, high) for item in value):
        raise BadModelError(f"{what}: {field.name} must be a list of whole numbers {span}")
    return tuple(value)


def _fits(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high
