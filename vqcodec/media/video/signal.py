"""A video in memory: frames that come one after the other, and what is true of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError

if TYPE_CHECKING:
    from vqcodec.media.video.audio import Audio

__all__ = ["LONGEST_SIDE", "MOST_TICKS", "SITINGS", "Facts", "Frame", "Video"]

Plane = NDArray[np.uint8]

LONGEST_SIDE = 16384
# Times are whole numbers of a time base below this: 90,000 in a second for 1,600 years.
MOST_TICKS = 2**52
_MOST_PARTS = 2**32 - 1
_CODE_POINTS = range(256)
# Where a chroma sample lies among four of luma, as H.273 numbers it.
SITINGS = ("left", "centre", "top left", "top", "bottom left", "bottom")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video, 4:2:0, and when it is shown.

    y: luma, uint8 (H, W). u, v: chroma, uint8 ((H + 1) // 2, (W + 1) // 2). time: seconds since the
    beginning, not negative. Raises: InputError for other planes or times.

    >>> grey = np.full((2, 3), 128, np.uint8)
    >>> Frame(np.zeros((3, 5), np.uint8), grey, grey, Fraction(1, 25)).extent
    (3, 5)
    """

    y: Plane
    u: Plane
    v: Plane
    time: Fraction

    def __post_init__(self) -> None:
        planes = (self.y, self.u, self.v)
        if any(plane.dtype != np.uint8 or plane.ndim != 2 for plane in planes) or not self.y.size:
            found = ", ".join(f"{plane.dtype} {plane.shape}" for plane in planes)
            raise InputError(f"planes of a frame must be uint8 of two axes, got {found}")
        half = tuple((side + 1) // 2 for side in self.y.shape)
        if self.u.shape != half or self.v.shape != half:
            raise InputError(
                f"chroma of a frame {self.y.shape} must be {half}, got {self.u.shape} and "
                f"{self.v.shape}"
            )
        if not isinstance(self.time, Fraction) or self.time < 0:
            raise InputError(f"a time is a Fraction of seconds, at least 0, got {self.time}")

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width, of luma."""
        height, width = self.y.shape
        return int(height), int(width)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is true of all frames of a video.

    Attributes:
        time_base: seconds that all times are whole multiples of.
        rate: frames per second, as is said; None if it varies. Times are what counts.
        aspect: width of a pixel by its height.
        rotation: degrees to turn the frames clockwise before they are shown: 0, 90, 180 or 270.
        matrix, primaries, transfer: code points of ITU-T H.273; 2 is "not said".
        full_range: whether luma runs from 0 to 255, not from 16 to 235.
        siting: where chroma lies, a number of SITINGS.

    Raises: InputError for what no video has.

    >>> Facts(time_base=Fraction(1, 25), rate=Fraction(25), matrix=1).aspect
    Fraction(1, 1)
    """

    time_base: Fraction
    rate: Fraction | None = None
    aspect: Fraction = Fraction(1)
    rotation: int = 0
    matrix: int = 2
    primaries: int = 2
    transfer: int = 2
    full_range: bool = False
    siting: int = 0

    def __post_init__(self) -> None:
        for name, value in (
            *(("time base", self.time_base), ("pixel aspect", self.aspect)),
            *((("frame rate", self.rate),) if self.rate is not None else ()),
        ):
            if value <= 0 or max(value.numerator, value.denominator) > _MOST_PARTS:
                raise InputError(f"{name} must be a fraction of 32-bit numbers, got {value}")
        if self.rotation not in (0, 90, 180, 270):
            raise InputError(f"rotation must be 0, 90, 180 or 270 degrees, got {self.rotation}")
        for name in ("matrix", "primaries", "transfer"):
            if (point := getattr(self, name)) not in _CODE_POINTS:
                raise InputError(f"{name} is a code point of H.273, 0 to 255, got {point!r}")
        if self.siting not in range(len(SITINGS)):
            raise InputError(f"siting is a number below {len(SITINGS)}, got {self.siting!r}")

    def ticks(self, time: Fraction) -> int:
        """A time as a number of time bases. Raises: InputError if it is no whole one.

        >>> Facts(time_base=Fraction(1, 1000)).ticks(Fraction(1, 25))
        40
        """
        ticks = time / self.time_base
        if ticks.denominator != 1 or not 0 <= ticks < MOST_TICKS:
            raise InputError(f"time {time} is no whole multiple of the time base {self.time_base}")
        return int(ticks)

    def lasts(self, ticks: int, frames: int) -> Fraction:
        """Seconds that the last of some frames is shown, which begin so many time bases apart.

        As the rate says, or else as long as the mean one; a frame alone, for a second.

        >>> Facts(time_base=Fraction(1, 1000)).lasts(300, frames=4)
        Fraction(1, 10)
        """
        if self.rate is not None:
            return 1 / self.rate
        return self.time_base * Fraction(ticks, frames - 1) if frames > 1 else Fraction(1)


class Video:
    """Frames of one extent, in order of time, drawn one by one: longer ones than memory.

    Args:
        frames: gives `Frame`s; an iterator gives them once, which is enough for a quality.
        height, width: of luma, in pixels, 1 to LONGEST_SIDE.
        facts: of all of them.
        count: how many there are; None where nobody knows.
        duration: seconds from the beginning to the end of the last frame; None where nobody knows.
        audio: what is heard with it, see `vqcodec.media.video.audio`.
        remarks: what a user should know of how it was read, in words.

    Raises:
        InputError: numbers that no video has; while frames are drawn, one of another extent, a time
            that does not rise, more or fewer frames than `count`, or none at all.

    >>> plane = np.zeros((2, 2), np.uint8)
    >>> frames = [Frame(np.zeros((4, 4), np.uint8), plane, plane, Fraction(n, 5)) for n in range(3)]
    >>> facts = Facts(time_base=Fraction(1, 5), rate=Fraction(5))
    >>> video = Video(frames, height=4, width=4, facts=facts, count=3)
    >>> video.extent, [str(frame.time) for frame in video]
    ((3, 4, 4), ['0', '1/5', '2/5'])
    """

    channels = 3

    def __init__(
        self,
        frames: Iterable[Frame],
        *,
        height: int,
        width: int,
        facts: Facts,
        count: int | None = None,
        duration: Fraction | None = None,
        audio: Audio | None = None,
        remarks: tuple[str, ...] = (),
    ) -> None:
        for name, side in (("height", height), ("width", width)):
            if type(side) is not int or not 1 <= side <= LONGEST_SIDE:
                raise InputError(f"{name} must be 1 to {LONGEST_SIDE} pixels, got {side!r}")
        if count is not None and count < 1:
            raise InputError("the video is empty")
        self.height, self.width, self.facts = height, width, facts
        self.count, self.duration = count, duration
        self.audio, self.remarks = audio, remarks
        self._frames = frames

    @property
    def extent(self) -> tuple[int, int, int]:
        """Frames, height and width. Raises: InputError while nobody knows how many frames."""
        if self.count is None:
            raise InputError("how many frames the video has is known at its end")
        return self.count, self.height, self.width

    @property
    def drawn_once(self) -> bool:
        """Whether its frames can be drawn once only."""
        return isinstance(self._frames, Iterator)

    def __iter__(self) -> Iterator[Frame]:
        number, before = 0, -1
        for frame in self._frames:
            if frame.extent != (self.height, self.width):
                raise InputError(
                    f"frame {number} is {frame.extent[1]} x {frame.extent[0]} pixels, the first "
                    f"one {self.width} x {self.height}: frames of one size are coded"
                )
            ticks = self.facts.ticks(frame.time)
            if ticks <= before:
                raise InputError(
                    f"frame {number} is shown at {float(frame.time):.6f} s, not after the one "
                    f"before at {float(before * self.facts.time_base):.6f} s"
                )
            if number == self.count:
                raise InputError(f"there are more frames than {self.count}")
            number, before = number + 1, ticks
            yield frame
        if number == 0:
            raise InputError("the video is empty: it has no frame")
        if self.count is not None and number < self.count:
            raise InputError(f"the video ends after {number} of {self.count} frames")
