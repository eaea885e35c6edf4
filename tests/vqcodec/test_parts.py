"""Parts of a configuration: read back equal, refused when absurd, added to without harm."""

import dataclasses
import json
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqcodec.errors import BadModelError
from vqcodec.parts import Part, as_text, parse_object, read_part, whole, wholes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pool(Part):
    kind: ClassVar[str] = "pool"
    side: int = whole(1, 64)
    steps: tuple[int, ...] = wholes(2, 9)
    later: int = whole(0, 3, default=1)


GOOD: dict[str, Any] = {"kind": "pool", "side": 8, "steps": [2, 3], "later": 0}


def read(**changes: Any) -> Pool:
    return read_part(GOOD | changes, [Pool], "the pool")


def test_a_part_reads_back_as_written() -> None:
    part = Pool(side=8, steps=(2, 3), later=0)
    assert part.as_dict() == GOOD | {"steps": (2, 3)}
    assert read_part(json.loads(as_text(part.as_dict())), [Pool], "it") == part


def test_a_missing_field_has_its_default_if_it_has_one() -> None:
    data = {name: value for name, value in GOOD.items() if name != "later"}
    assert read_part(data, [Pool], "it").later == 1
    del data["side"]
    with pytest.raises(BadModelError, match=r"lacks a field.*side"):
        read_part(data, [Pool], "it")


@pytest.mark.parametrize("value", [0, 65, -1, 2**63, 1.0, 1e400, "8", None, True, [8], {}])
def test_a_number_of_a_wrong_kind_or_size(value: object) -> None:
    with pytest.raises(BadModelError, match="the pool: side must be a whole number from 1 to 64"):
        read(side=value)


@pytest.mark.parametrize("value", [[], 2, [1], [2, 10], [2.0], [True], "22", [[2]], [2] * 17])
def test_a_list_of_a_wrong_kind_or_size(value: object) -> None:
    assert read(steps=[2] * 16).steps == (2,) * 16
    with pytest.raises(BadModelError, match="the pool: steps must be a list of whole numbers"):
        read(steps=value)


@pytest.mark.parametrize("kind", ["poll", "", None, 0, ["pool"]])
def test_unknown_kind(kind: object) -> None:
    with pytest.raises(BadModelError, match=r"the pool is of the unknown kind .*there are pool"):
        read(kind=kind)


@pytest.mark.parametrize("data", [[], None, "pool", 5])
def test_what_is_no_object(data: object) -> None:
    with pytest.raises(BadModelError, match="must be an object"):
        read_part(data, [Pool], "the pool")


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(BadModelError, match=r"unknown fields.*dilation"):
        read(dilation=2)


def test_a_message_does_not_repeat_a_huge_value() -> None:
    with pytest.raises(BadModelError) as caught:
        read(side="8" * 100_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "1" * 5000, "[]", "null", '"x"'])
def test_what_is_no_json_object(text: str) -> None:
    with pytest.raises(BadModelError, match="the thing is not"):
        parse_object(text, "the thing")


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5))
@settings(deadline=None)
def test_text_is_canonical(data: dict[str, Any]) -> None:
    text = as_text(data)
    assert as_text(parse_object(text, "it")) == text
    assert as_text(dict(reversed(data.items()))) == text
