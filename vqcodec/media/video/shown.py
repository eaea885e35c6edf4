"""A video as people look at it: a few frames side by side, or a player in a page."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vqcodec.errors import InputError
from vqcodec.media.panels import draw_panels
from vqcodec.media.video.colour import to_rgb
from vqcodec.media.video.movies import MovieWriter
from vqcodec.media.video.signal import Video

__all__ = ["draw_frames", "held", "player"]

# Where in a video the frames are that are shown, of its length.
_SHOWN = (0.5, 0.98)


def held(video: Video) -> Video:
    """The same video with all frames in memory, so that their number is known; without audio."""
    frames = list(video)
    return Video(
        frames, height=video.height, width=video.width, facts=video.facts, count=len(frames)
    )


def draw_frames(panels: Sequence[tuple[str, Video]]) -> bytes:
    """Two frames of each video, one above the other, side by side: the bytes of a PNG.

    Raises: InputError: there are no panels, or their extents differ.
    """
    extents = {video.extent for _, video in panels}
    if len(extents) != 1:
        raise InputError(f"panels of one extent are needed, got {sorted(extents)}")
    ((count, _, _),) = extents
    numbers = sorted({int(part * (count - 1)) for part in _SHOWN})
    drawn = []
    for label, video in panels:
        frames = [frame for number, frame in enumerate(video) if number in numbers]
        pixels = np.concatenate([to_rgb(frame, video.facts) for frame in frames], axis=1)
        drawn.append((label, np.ascontiguousarray(np.moveaxis(pixels, 0, -1))))
    return draw_panels(drawn)


def player(video: Video) -> str:
    """An HTML element with the whole video in it, as H.264 in MP4 (see `MovieWriter`).

    Raises: MissingDependencyError without PyAV.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "video.mp4")
        movie = MovieWriter(path, "mp4", height=video.height, width=video.width, facts=video.facts)
        for frame in video:
            movie.write(frame)
        movie.end()
        data = base64.b64encode(path.read_bytes()).decode()
    style = "display:block;max-width:30em"
    return f'<video controls loop style="{style}" src="data:video/mp4;base64,{data}"></video>'
