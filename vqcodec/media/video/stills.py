"""Frames as numbered PNG files."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vqcodec.errors import InputError
from vqcodec.files import write_whole
from vqcodec.media.video.audio import Packet
from vqcodec.media.video.colour import to_rgb
from vqcodec.media.video.signal import Facts, Frame

__all__ = ["StillWriter", "is_pattern"]

_NUMBER = re.compile(r"%0?([1-9]?)d")


def is_pattern(path: str | Path) -> bool:
    """Whether a path stands for many, as frames/%06d.png does.

    >>> is_pattern("frames/%06d.png"), is_pattern("clip.mkv"), is_pattern("%d%d.png")
    (True, False, False)
    """
    name = Path(path).name
    return name.count("%") == 1 and _NUMBER.search(name) is not None


class StillWriter:
    """Writes each frame to a PNG file of its own, turned as it is to be shown.

    pattern: a path with one place for the number, such as frames/%06d.png; its folder is made.
    first: number of the first frame. step: how far numbers lie apart.

    Raises: InputError for a path that is no such pattern; OSError where a file cannot be written.
    """

    def __init__(self, pattern: Path, facts: Facts, *, first: int = 0, step: int = 1) -> None:
        if not is_pattern(pattern):
            raise InputError(
                f"a name of many frames has one number, as %06d.png, got {pattern.name}"
            )
        self._pattern, self._facts = pattern, facts
        self._number, self._step, self._is_heard = first, step, False
        pattern.parent.mkdir(parents=True, exist_ok=True)

    @property
    def lost(self) -> tuple[str, ...]:
        """What the files do not say, but for times, which nobody expects of them."""
        return (
            *(["pixel aspect"] if self._facts.aspect != 1 else []),
            *(["audio"] if self._is_heard else []),
        )

    def path(self, number: int) -> Path:
        """Where the frame of this number goes.

        >>> StillWriter(Path("%03d.png"), Facts(time_base=1)).path(7).name
        '007.png'
        """
        return self._pattern.with_name(self._pattern.name % number)

    def write(self, frame: Frame) -> None:
        """Write the next frame."""
        from PIL import Image

        pixels = np.moveaxis(to_rgb(frame, self._facts), 0, -1)
        turned = np.rot90(pixels, -self._facts.rotation // 90)
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(turned)).save(file, "PNG", compress_level=4)
        write_whole(self.path(self._number), file.getvalue())
        self._number += self._step

    def write_audio(self, packets: Sequence[Packet]) -> None:
        """Leave audio out, which `lost` tells."""
        self._is_heard |= bool(packets)

    def end(self) -> None:
        """Each file is whole already."""
