"""YUV4MPEG2: frames one behind the other, as programs hand them on, without any package.

A line that says what all frames are, then for each a line that begins with FRAME and its planes.
yuv4mpeg(5) of mjpegtools; the ranges of colour as FFmpeg adds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from vqcodec.bitstream import DEFAULT_LIMITS, Limits
from vqcodec.errors import InputError
from vqcodec.media.video.audio import Packet
from vqcodec.media.video.chroma import halved
from vqcodec.media.video.signal import Facts, Frame, Plane, Video
from vqcodec.media.video.y4m_head import (
    LONGEST_LINE,
    NAMES,
    USUAL_RATE,
    Y4mHead,
    is_y4m,
    pack_y4m_head,
    read_y4m_head,
)

__all__ = ["Y4mWriter", "is_y4m", "open_y4m", "read_y4m"]

_PIECE = 2**20
_NOT_SAID = 2


def open_y4m(path: str, limits: Limits = DEFAULT_LIMITS) -> Video:
    """The video in a file, whose frames are read as they are drawn, each time from the beginning.

    Raises: OSError; and as `read_y4m`.
    """
    with open(path, "rb") as file:
        head = read_y4m_head(file, limits)
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
    head = read_y4m_head(file, limits)
    return _video(_frames(file, head), head)


class _Frames:
    """The frames of a file, which can be opened once more."""

    def __init__(self, opener: Callable[[], BinaryIO], limits: Limits) -> None:
        self._opener, self._limits = opener, limits

    def __iter__(self) -> Iterator[Frame]:
        with self._opener() as file:
            yield from _frames(file, read_y4m_head(file, self._limits))


def _video(frames: _Frames | Iterator[Frame], head: Y4mHead) -> Video:
    return Video(
        frames, height=head.height, width=head.width, facts=head.facts, remarks=head.remarks
    )


def _frames(file: BinaryIO, head: Y4mHead) -> Iterator[Frame]:
    half = ((head.height + 1) // 2, (head.width + 1) // 2)
    sizes, (down, across) = [(head.height, head.width)], head.chroma or (True, True)
    if head.chroma is not None:
        sizes += 2 * [(half[0] if down else head.height, half[1] if across else head.width)]
    number = 0
    while line := file.readline(LONGEST_LINE):
        if not line.startswith((b"FRAME ", b"FRAME\n")) or not line.endswith(b"\n"):
            raise InputError(
                f"the video is damaged or cut off: frame {number} begins with {line[:16]!a}"
            )
        y, *chroma = (_plane(file, size, number) for size in sizes)
        if not chroma:
            chroma = 2 * [np.full(half, 128, np.uint8)]
        elif not (down and across):
            siting = head.facts.siting
            chroma = [halved(c, siting, down=not down, across=not across) for c in chroma]
        yield Frame(y, chroma[0], chroma[1], number / head.rate)
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

    def __init__(self, file: BinaryIO, facts: Facts, *, mean_rate: Fraction = USUAL_RATE) -> None:
        self._file, self._facts = file, facts
        self._rate = facts.rate or mean_rate
        self._first: Fraction | None = None
        self._number, self._is_steady, self._is_heard = 0, facts.rate is not None, False

    @property
    def lost(self) -> tuple[str, ...]:
        """What a reader of the file does not learn."""
        facts = self._facts
        return (
            *([] if self._is_steady else ["times of frames"]),
            *([f"rotation by {facts.rotation} degrees"] if facts.rotation else []),
            *(["colour matrix"] if facts.matrix != _NOT_SAID else []),
            *([] if facts.siting in NAMES else ["where chroma lies"]),
            *(["audio"] if self._is_heard else []),
        )

    def write(self, frame: Frame) -> None:
        """Write the next frame."""
        if self._first is None:
            self._file.write(pack_y4m_head(*frame.extent, self._facts, self._rate))
            self._first = frame.time
        late = frame.time - self._first - self._number / self._rate
        # Times may have been rounded to a time base.
        self._is_steady &= abs(late) <= self._facts.time_base
        self._number += 1
        self._file.write(b"FRAME\n")
        for plane in (frame.y, frame.u, frame.v):
            self._file.write(plane.tobytes())

    def write_audio(self, packets: Sequence[Packet]) -> None:
        """Leave audio out, which `lost` tells."""
        self._is_heard |= bool(packets)

    def end(self) -> None:
        """There is nothing behind the last frame."""
