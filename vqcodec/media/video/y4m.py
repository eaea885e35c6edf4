"""YUV4MPEG2: frames one behind the other, as programs hand them on, without any package.

A line that says what all frames are, then for each a line that begins with FRAME and its planes.
yuv4mpeg(5) of mjpegtools; the ranges of colour as FFmpeg adds them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from vqcodec.bitstream import DEFAULT_LIMITS, Limits
from vqcodec.errors import InputError, LimitError
from vqcodec.media.video.audio import Packet
from vqcodec.media.video.chroma import halved
from vqcodec.media.video.signal import LONGEST_SIDE, Facts, Frame, Plane, Video

__all__ = ["Y4mWriter", "is_y4m", "open_y4m", "read_y4m"]

_MAGIC = b"YUV4MPEG2"
_LONGEST_LINE = 1024
_PIECE = 2**20
_USUAL_RATE = Fraction(25)
# Chroma is a half of luma (down, across), or there is none; and where it lies.
_LAYOUTS: dict[str, tuple[tuple[bool, bool] | None, int]] = {
    "420jpeg": ((True, True), 1),
    "420": ((True, True), 1),
    "420mpeg2": ((True, True), 0),
    "420paldv": ((True, True), 2),
    "422": ((False, True), 0),
    "444": ((False, False), 0),
    "mono": (None, 0),
}
_NAMES = {0: "420mpeg2", 1: "420jpeg", 2: "420paldv"}


def is_y4m(head: bytes) -> bool:
    """Whether the first bytes of a file are those of YUV4MPEG2.

    >>> is_y4m(b"YUV4MPEG2 W320 H180")
    True
    """
    return head.startswith(_MAGIC + b" ")


def open_y4m(path: str, limits: Limits = DEFAULT_LIMITS) -> Video:
    """The video in a file, whose frames are read as they are drawn, each time from the beginning.

    Raises: OSError; and as `read_y4m`.
    """
    with open(path, "rb") as file:
        head = _read_head(file, limits)
    return _video(_Frames(lambda: open(path, "rb"), limits), head)


def read_y4m(file: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> Video:
    """The video in a file or a pipe that stands at its beginning; its frames are drawn once.

    Raises: InputError: it is none, or of a kind that is not read: interlaced, or another layout of
    chroma; while frames are drawn, it ends within one, or something else stands there. LimitError:
    a frame has more samples than allowed, before one is read.

    >>> import io
    >>> file = io.BytesIO(b"YUV4MPEG2 W2 H2 F10:1 Cmono\\nFRAME\\nabcd")
    >>> [(frame.time, bytes(frame.y)) for frame in read_y4m(file)]
    [(Fraction(0, 1), b'abcd')]
    """
    head = _read_head(file, limits)
    return _video(_frames(file, head), head)


@dataclass(frozen=True)
class _Head:
    height: int
    width: int
    rate: Fraction
    chroma: tuple[bool, bool] | None
    facts: Facts
    remarks: tuple[str, ...]


class _Frames:
    """The frames of a file, which can be opened once more."""

    def __init__(self, opener: Callable[[], BinaryIO], limits: Limits) -> None:
        self._opener, self._limits = opener, limits

    def __iter__(self) -> Iterator[Frame]:
        with self._opener() as file:
            yield from _frames(file, _read_head(file, self._limits))


def _video(frames: _Frames | Iterator[Frame], head: _Head) -> Video:
    return Video(
        frames, height=head.height, width=head.width, facts=head.facts, remarks=head.remarks
    )


def _read_head(file: BinaryIO, limits: Limits) -> _Head:
    line = file.readline(_LONGEST_LINE)
    if not is_y4m(line):
        raise InputError(f"no YUV4MPEG2: it begins with {line[:16]!a}")
    if not line.endswith(b"\n"):
        raise InputError("the video is damaged or cut off: the first line of YUV4MPEG2 has no end")
    words = {word[:1]: word[1:] for word in line.decode("latin-1").split()[1:]}
    # Of several words of an X only one is looked at.
    full = b"XCOLORRANGE=FULL" in line.split()
    height, width = (_side(words.get(letter, "")) for letter in "HW")
    if height * width > limits.max_samples:
        raise LimitError(
            f"a frame has {height * width} samples, more than the limit of {limits.max_samples}",
            argument="max_samples",
        )
    if (order := words.get("I", "?")) not in ("p", "?"):
        raise InputError(
            f"the video is interlaced (I{order[:8]}): deinterlace it first, as with "
            "ffmpeg -i IN -vf bwdif OUT"
        )
    layout = words.get("C", "420jpeg")
    if layout not in _LAYOUTS:
        raise InputError(
            f"frames of layout {layout[:20]!a} are not read, these are: {', '.join(_LAYOUTS)}"
        )
    chroma, siting = _LAYOUTS[layout]
    rate, aspect = (_fraction(words, letter) for letter in "FA")
    known = _USUAL_RATE if rate is None else rate
    remarks: tuple[str, ...] = ()
    if rate is None:
        remarks = (f"the file says no frame rate, {known} a second are taken",)
    if chroma not in (None, (True, True)):
        remarks += (f"chroma of 4:{layout[1]}:{layout[2]} became 4:2:0",)
    facts = Facts(
        time_base=1 / known,
        rate=known,
        aspect=aspect or Fraction(1),
        full_range=full,
        siting=siting,
    )
    return _Head(height, width, known, chroma, facts, remarks)


def _side(word: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", word) or not 1 <= int(word) <= LONGEST_SIDE:
        raise InputError(
            f"a side of the video must be 1 to {LONGEST_SIDE} pixels, YUV4MPEG2 says {word[:20]!a}"
        )
    return int(word)


def _fraction(words: dict[str, str], letter: str) -> Fraction | None:
    """A fraction that the first line says; None for 0:0, which is "not known"."""
    word = words.get(letter, "0:0")
    if not re.fullmatch("[0-9]{1,10}:[0-9]{1,10}", word):
        raise InputError(f"{letter}{word[:24]!a} of YUV4MPEG2 is no fraction")
    over, under = map(int, word.split(":"))
    return Fraction(over, under) if over and under else None


def _frames(file: BinaryIO, head: _Head) -> Iterator[Frame]:
    half = ((head.height + 1) // 2, (head.width + 1) // 2)
    sizes = [(head.height, head.width)]
    if head.chroma is not None:
        down, across = head.chroma
        sizes += 2 * [(half[0] if down else head.height, half[1] if across else head.width)]
    number = 0
    while line := file.readline(_LONGEST_LINE):
        if not line.startswith((b"FRAME ", b"FRAME\n")) or not line.endswith(b"\n"):
            raise InputError(
                f"the video is damaged or cut off: frame {number} begins with {line[:16]!a}"
            )
        planes = [_plane(file, size, number) for size in sizes]
        if head.chroma is None:
            planes += [np.full(half, 128, np.uint8)] * 2
        elif head.chroma != (True, True):
            down, across = head.chroma
            planes[1:] = [
                halved(plane, head.facts.siting, down=not down, across=not across)
                for plane in planes[1:]
            ]
        y, u, v = planes
        yield Frame(y, u, v, number / head.rate)
        number += 1


def _plane(file: BinaryIO, size: tuple[int, int], number: int) -> Plane:
    """The next plane, read piece by piece: memory is taken for what is there."""
    wanted, data = size[0] * size[1], bytearray()
    while len(data) < wanted:
        piece = file.read(min(_PIECE, wanted - len(data)))
        if not piece:
            raise InputError(
                f"the video is cut off: a plane of frame {number} has {len(data)} of {wanted} bytes"
            )
        data += piece
    return np.frombuffer(data, np.uint8).reshape(size)


class Y4mWriter:
    """Writes frames to a file or a pipe as they come.

    Times are not written: frames follow each other at `facts.rate`, or at `mean_rate` where that
    varies. `lost` says in words which facts YUV4MPEG2 cannot hold, as far as is known.

    >>> import io
    >>> file = io.BytesIO()
    >>> writer = Y4mWriter(file, Facts(time_base=Fraction(1, 10), rate=Fraction(10)))
    >>> grey = np.full((1, 1), 128, np.uint8)
    >>> writer.write(Frame(np.zeros((1, 2), np.uint8), grey, grey, Fraction(0)))
    >>> file.getvalue()
    b'YUV4MPEG2 W2 H1 F10:1 Ip A1:1 C420mpeg2 XCOLORRANGE=LIMITED\\nFRAME\\n\\x00\\x00\\x80\\x80'
    """

    def __init__(self, file: BinaryIO, facts: Facts, *, mean_rate: Fraction = _USUAL_RATE) -> None:
        self._file, self._facts = file, facts
        self._rate = facts.rate or mean_rate
        self._first: Fraction | None = None
        self._number, self._is_steady = 0, facts.rate is not None

    @property
    def lost(self) -> tuple[str, ...]:
        """What a reader of the file does not learn."""
        facts = self._facts
        return (
            *([] if self._is_steady else ["times of frames"]),
            *([f"rotation by {facts.rotation} degrees"] if facts.rotation else []),
            *(["colour matrix"] if facts.matrix != 2 else []),
            *(["where chroma lies"] if facts.siting not in _NAMES else []),
        )

    def write(self, frame: Frame) -> None:
        """Write the next frame."""
        if self._first is None:
            self._file.write(self._head(*frame.extent))
            self._first = frame.time
        late = frame.time - self._first - self._number / self._rate
        # Times may have been rounded to a time base.
        self._is_steady &= abs(late) <= self._facts.time_base
        self._number += 1
        self._file.write(b"FRAME\n")
        for plane in (frame.y, frame.u, frame.v):
            self._file.write(plane.tobytes())

    def write_audio(self, packets: Sequence[Packet]) -> None:
        """Leave audio out."""

    def end(self) -> None:
        """There is nothing behind the last frame."""

    def _head(self, height: int, width: int) -> bytes:
        facts = self._facts
        rate, aspect = (f"{x.numerator}:{x.denominator}" for x in (self._rate, facts.aspect))
        layout = _NAMES.get(facts.siting, "420mpeg2")
        span = "FULL" if facts.full_range else "LIMITED"
        head = f"W{width} H{height} F{rate} Ip A{aspect} C{layout} XCOLORRANGE={span}\n"
        return _MAGIC + b" " + head.encode("ascii")
