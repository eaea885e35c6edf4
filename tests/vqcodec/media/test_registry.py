"""How a medium is found: by name, by number, by the first bytes of a file, by a stream's header."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from sawtooth.medium import MEDIUM

from vqcodec.bitstream import Chunk, Header, Limits, write_stream
from vqcodec.errors import (
    BadMagicError,
    BadModelError,
    CorruptError,
    LimitError,
    UnsupportedVersionError,
)
from vqcodec.media.registry import (
    MEDIA,
    find_medium,
    find_workshop,
    list_media,
    medium_of,
    medium_of_number,
    read_any_stream,
)

SAWTOOTH: Any = MEDIUM
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _sawtooth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEDIA, "sawtooth", "sawtooth")


def stream(medium: int, extent: tuple[int, ...], *side: Chunk, channels: int = 1) -> bytes:
    header = Header(
        medium=medium,
        extent=extent,
        channels=channels,
        stages=1,
        prior=0,
        fingerprint=bytes(8),
        regions=1,
    )
    return write_stream(header, side, [b"x"])


def test_by_name() -> None:
    assert find_medium("sawtooth") is SAWTOOTH
    assert list_media() == [find_medium(name) for name in MEDIA]
    assert list_media()[-1] is SAWTOOTH


@pytest.mark.parametrize("name", ["", "Picture", "vqcodec.media.picture", "../picture", "x" * 999])
def test_no_such_name(name: str) -> None:
    for find in (find_medium, find_workshop):
        with pytest.raises(BadModelError, match=r"there are picture, (.*, )?sawtooth$") as caught:
            find(name)
        assert str(caught.value).startswith(f"no medium {name[:40]!r};")


def test_workshop_stands_beside_its_medium(monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = object()
    monkeypatch.setitem(sys.modules, "sawtooth.workshop", SimpleNamespace(WORKSHOP=workshop))
    assert find_workshop("sawtooth") is workshop
    first = next(iter(MEDIA))
    assert find_workshop(first).rate.unit == "bpp"


def test_by_number() -> None:
    assert [medium_of_number(medium.number) for medium in list_media()] == list_media()
    with pytest.raises(UnsupportedVersionError, match="medium 15 needs a newer vqcodec"):
        medium_of_number(15)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (PNG, 0),
        (PNG + bytes(10**5), 0),
        (b"SAW 0 1\n5\n", 9),
        # What nobody knows is left to the first, which says what it reads.
        (b"", 0),
        (b"hello", 0),
    ],
)
def test_by_the_first_bytes_of_a_file(data: bytes, number: int) -> None:
    assert medium_of(data).number == number


def test_media_see_the_head_alone_and_the_first_that_knows_it_has_it() -> None:
    seen: list[bytes] = []

    def recognises(self: Any, head: bytes) -> bool:
        seen.append(head)
        return True

    with pytest.MonkeyPatch.context() as patch:
        for medium in list_media():
            patch.setattr(type(medium), "recognises", recognises)
        assert medium_of(bytes(range(200))) is list_media()[0]
    assert seen == [bytes(range(64))]


def test_a_stream_is_read_with_the_letters_of_its_medium() -> None:
    offset = Chunk("O", bytes(8))
    medium, found = read_any_stream(stream(9, (38,), offset))
    assert (medium, found.side_chunks, found.codes) == (SAWTOOTH, (offset,), (b"x",))
    with pytest.raises(UnsupportedVersionError, match="unknown critical type 'O'"):
        read_any_stream(stream(0, (3, 8), offset))
    with pytest.raises(UnsupportedVersionError, match="unknown critical type 'A'"):
        read_any_stream(stream(9, (38,), offset, Chunk("A", b"")))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (stream(9, (38,)), "a saw-tooth has one axis"),
        (stream(9, (3, 8), Chunk("O", bytes(8))), "a saw-tooth has one axis"),
        (stream(0, (38,)), "a picture has 2 axes"),
        (stream(0, (3, 8), channels=4), "lacks its alpha chunk"),
    ],
    ids=["no offset", "two axes", "one axis", "no alpha"],
)
def test_the_medium_judges_what_only_it_can(data: bytes, why: str) -> None:
    with pytest.raises(CorruptError, match=why):
        read_any_stream(data)


def test_limits_and_refusals_come_first() -> None:
    data = stream(9, (38,), Chunk("O", bytes(8)))
    assert read_any_stream(data, Limits(max_samples=38))[0] is SAWTOOTH
    with pytest.raises(LimitError, match="38 samples, more than the limit of 37"):
        read_any_stream(data, Limits(max_samples=37))
    with pytest.raises(BadMagicError, match="looks like PNG"):
        read_any_stream(PNG)
