"""What files call the tags of a sound: title, artist and their kin."""

from collections.abc import Iterable, Mapping

__all__ = ["NAMES", "kept_tags", "pack_info", "unpack_info"]

# Our name -> that of the INFO list of a WAV file.
NAMES: Mapping[str, bytes] = {
    "title": b"INAM",
    "artist": b"IART",
    "album": b"IPRD",
    "date": b"ICRD",
    "genre": b"IGNR",
    "tracknumber": b"ITRK",
    "comment": b"ICMT",
    "copyright": b"ICOP",
    "software": b"ISFT",
}


def kept_tags(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Tags that say something, by their names in lower case.

    >>> kept_tags([("Title", "Nocturne"), ("artist", " ")])
    {'title': 'Nocturne'}
    """
    return {name.lower(): text.strip() for name, text in found if text.strip()}


def unpack_info(body: bytes) -> dict[str, str]:
    """The tags of an INFO list, as far as they are whole; names that are not known are left out.

    >>> unpack_info(b"INAM" + bytes([3, 0, 0, 0]) + b"sea" + bytes(1))
    {'title': 'sea'}
    """
    names, place, found = {code: name for name, code in NAMES.items()}, 0, []
    while place + 8 <= len(body):
        code, length = (
            body[place : place + 4],
            int.from_bytes(body[place + 4 : place + 8], "little"),
        )
        text = body[place + 8 : place + 8 + length].split(b"\0")[0]
        if code in names:
            found.append((names[code], _decoded(text)))
        place += 8 + length + length % 2
    return kept_tags(found)


def pack_info(tags: Mapping[str, str]) -> bytes:
    """An INFO list of the tags that it has names for; empty if there are none.

    >>> unpack_info(pack_info({"title": "sea", "mood": "calm"}))
    {'title': 'sea'}
    """
    out = b""
    for name, code in NAMES.items():
        if name in tags:
            text = tags[name].encode("utf-8", "replace") + b"\0"
            out += code + len(text).to_bytes(4, "little") + text + bytes(len(text) % 2)
    return out


def _decoded(text: bytes) -> str:
    """UTF-8, as programs of today write it, or what Windows wrote before."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")
