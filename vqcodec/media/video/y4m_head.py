"""The first line of YUV4MPEG2, which says what all frames are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

from vqcodec.bitstream import Limits
from vqcodec.errors import InputError, LimitError
from vqcodec.media.video.signal import LONGEST_SIDE, Facts

__all__ = [
    "LONGEST_LINE",
    "NAMES",
    "USUAL_RATE",
    "Y4mHead",
    "is_y4m",
    "pack_y4m_head",
    "read_y4m_head",
]

_MAGIC = b"YUV4MPEG2"
LONGEST_LINE = 1024
USUAL_RATE = Fraction(25)
_HALVED = (True, True)
# By name: along which axes (down, across) chroma is half of luma, None for none, and its siting.
_LAYOUTS: dict[str, tuple[tuple[bool, bool] | None, int]] = {
    "420jpeg": (_HALVED, 1),
    "420": (_HALVED, 1),
    "420mpeg2": (_HALVED, 0),
    "420paldv": (_HALVED, 2),
    "422": ((False, True), 0),
    "444": ((False, False), 0),
    "mono": (None, 0),
}
# By siting, as it is written; others have no name.
NAMES = {0: "420mpeg2", 1: "420jpeg", 2: "420paldv"}


@dataclass(frozen=True)
class Y4mHead:
    """What the first line says.

    chroma: whether it is half of luma down and across; None where there is none.
    """

    height: int
    width: int
    rate: Fraction
    chroma: tuple[bool, bool] | None
    facts: Facts
    remarks: tuple[str, ...]


def is_y4m(head: bytes) -> bool:
    """Whether the first bytes of a file are those of YUV4MPEG2.

    >>> is_y4m(b"YUV4MPEG2 W320 H180")
    True
    """
    return head.startswith(_MAGIC + b" ")


def read_y4m_head(file: BinaryIO, limits: Limits) -> Y4mHead:
    """Read the first line. Raises: InputError, LimitError as `read_y4m`."""
    line = file.readline(LONGEST_LINE)
    if not is_y4m(line):
        raise InputError(f"no YUV4MPEG2: it begins with {line[:16]!a}")
    if not line.endswith(b"\n"):
        raise InputError("the video is damaged or cut off: the first line of YUV4MPEG2 has no end")
    words = {word[:1]: word[1:] for word in line.decode("latin-1").split()[1:]}
    height, width = _size(words, limits)
    if (order := words.get("I", "?")) not in ("p", "?"):
        raise InputError(
            f"the video is interlaced (I{order[:8]}): deinterlace it first, as with "
            "ffmpeg -i IN -vf bwdif OUT"
        )
    rate, remarks = _fraction(words, "F"), []
    if rate is None:
        rate = USUAL_RATE
        remarks.append(f"the file says no frame rate, {rate} a second are taken")
    chroma, siting, changed = _layout(words.get("C", "420jpeg"))
    facts = Facts(
        time_base=1 / rate,
        rate=rate,
        aspect=_fraction(words, "A") or Fraction(1),
        # There may be several words of an X.
        full_range=b"XCOLORRANGE=FULL" in line.split(),
        siting=siting,
    )
    return Y4mHead(height, width, rate, chroma, facts, (*remarks, *changed))


def pack_y4m_head(height: int, width: int, facts: Facts, rate: Fraction) -> bytes:
    """The first line of a file of 4:2:0."""
    frames, aspect = (f"{x.numerator}:{x.denominator}" for x in (rate, facts.aspect))
    layout = NAMES.get(facts.siting, NAMES[0])
    span = "FULL" if facts.full_range else "LIMITED"
    words = f"W{width} H{height} F{frames} Ip A{aspect} C{layout} XCOLORRANGE={span}\n"
    return _MAGIC + b" " + words.encode("ascii")


def _size(words: dict[str, str], limits: Limits) -> tuple[int, int]:
    for word in (words.get("H", ""), words.get("W", "")):
        if not re.fullmatch("[0-9]{1,9}", word) or not 1 <= int(word) <= LONGEST_SIDE:
            raise InputError(
                f"a side of the video must be 1 to {LONGEST_SIDE} pixels, YUV4MPEG2 says "
                f"{word[:20]!a}"
            )
    height, width = int(words["H"]), int(words["W"])
    if height * width > limits.max_samples:
        raise LimitError(
            f"a frame has {height * width} samples, more than the limit of {limits.max_samples}",
            argument="max_samples",
        )
    return height, width


def _layout(name: str) -> tuple[tuple[bool, bool] | None, int, tuple[str, ...]]:
    """Where there is chroma, and what a user should know of what becomes of it."""
    if name not in _LAYOUTS:
        raise InputError(
            f"frames of layout {name[:20]!a} are not read, these are: {', '.join(_LAYOUTS)}"
        )
    chroma, siting = _LAYOUTS[name]
    changes = chroma is not None and chroma != _HALVED
    said = (f"chroma of 4:{name[1]}:{name[2]} became 4:2:0",) if changes else ()
    return chroma, siting, said


def _fraction(words: dict[str, str], letter: str) -> Fraction | None:
    """A fraction of the line; None for 0:0, which is "not known"."""
    word = words.get(letter, "0:0")
    if not re.fullmatch("[0-9]{1,10}:[0-9]{1,10}", word):
        raise InputError(f"{letter}{word[:24]!a} of YUV4MPEG2 is no fraction")
    over, under = map(int, word.split(":"))
    return Fraction(over, under) if over and under else None
