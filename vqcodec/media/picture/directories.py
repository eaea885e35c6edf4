"""Directories of TIFF files, and so of EXIF data: read where they stand, whatever they hold.

A directory is a count, entries of twelve bytes (tag, type, count, value or where it stands) and the
offset of the next one. Nothing here is trusted: what lies outside of the block is not there.
"""

import struct
from typing import NamedTuple

__all__ = ["ENTRY_BYTES", "Directory", "Entry", "first_directory", "sub_directory"]

ENTRY_BYTES = 12

# Bytes of a value of each type: byte, text, short, long, rational, and so on.
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_LONG = 4


class Entry(NamedTuple):
    """One entry, and the offset at which its twelve bytes stand in the block."""

    tag: int
    type: int
    length: int
    place: int


class Directory(NamedTuple):
    """The entries of a directory. order: "<" or ">", as struct has it."""

    order: str
    entries: tuple[Entry, ...]

    def find(self, tag: int) -> Entry | None:
        """The first entry of a tag."""
        return next((entry for entry in self.entries if entry.tag == tag), None)


def first_directory(block: bytes) -> Directory | None:
    """Return the directory that the header of a block points to, or None if there is none."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return None
    return _read(block, order, struct.unpack_from(order + "I", block, 4)[0])


def sub_directory(block: bytes, parent: Directory, tag: int) -> Directory | None:
    """Return the directory that an entry points to, or None if there is none."""
    entry = parent.find(tag)
    if entry is None or (entry.type, entry.length) != (_LONG, 1):
        return None
    offset = struct.unpack_from(parent.order + "I", block, entry.place + 8)[0]
    return _read(block, parent.order, offset)


def _read(block: bytes, order: str, offset: int) -> Directory | None:
    """Return the directory at an offset, without entries that reach beyond the block."""
    if offset < 8 or offset + 2 > len(block):
        return None
    count = struct.unpack_from(order + "H", block, offset)[0]
    places = range(offset + 2, len(block) - ENTRY_BYTES + 1, ENTRY_BYTES)[:count]
    entries = []
    for place in places:
        tag, kind, length = struct.unpack_from(order + "HHI", block, place)
        entries.append(Entry(tag, kind, length, place))
    return Directory(order, tuple(entry for entry in entries if _lies_inside(block, order, entry)))


def _lies_inside(block: bytes, order: str, entry: Entry) -> bool:
    """Whether the values of an entry are of a known type and stand within the block."""
    size = _TYPE_BYTES.get(entry.type, 0) * entry.length
    if size <= 4:
        return entry.type in _TYPE_BYTES
    offset = struct.unpack_from(order + "I", block, entry.place + 8)[0]
    return int(offset) + size <= len(block)
