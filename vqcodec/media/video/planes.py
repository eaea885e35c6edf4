"""Frames of PyAV as planes of 4:2:0 in eight bits, and back."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.video.chroma import halved
from vqcodec.media.video.colour import from_rgb
from vqcodec.media.video.signal import Facts, Frame

__all__ = ["frame_from", "frame_to", "is_full_range", "is_rgb", "words_for"]

_PLANAR = re.compile(r"(?:yuv(j?)(a?)(420|422|440|444)p|gray)(9|10|12|14|16)?(le|be)?")
# Layouts of the same samples in another order, and the planar one that they become.
_REPACKED = {
    **{"nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p"},
    **{"yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p"},
    **{"p010le": "yuv420p10le", "p012le": "yuv420p12le", "p016le": "yuv420p16le"},
    **{"p210le": "yuv422p10le", "y210le": "yuv422p10le", "monow": "gray", "monob": "gray"},
}


def is_rgb(frame: Any) -> bool:
    """Whether a frame of PyAV holds red, green and blue, as they are or by a palette."""
    return bool(frame.format.is_rgb or frame.format.has_palette)


def is_full_range(frame: Any) -> bool:
    """Whether luma of a frame of PyAV, which is not RGB, runs from 0 to 255."""
    name, said = frame.format.name, frame.color_range
    is_grey = name.startswith("gray") and said != 1
    return bool(said == 2 or is_grey or name.startswith(("yuvj", "mono")))


def words_for(frame: Any) -> tuple[str, ...]:
    """What becomes of the samples of a frame of PyAV, for people; nothing where they stay.

    Raises: InputError for a layout that is not read.
    """
    if is_rgb(frame):
        return ("colours of RGB became luma and halved chroma (4:2:0)",)
    _, alpha, layout, bits, _ = _parsed(_REPACKED.get(frame.format.name, frame.format.name))
    return (
        *([f"{bits} bits of a sample became 8"] if bits else []),
        *(
            [f"chroma of 4:{layout[1]}:{layout[2]} became 4:2:0"]
            if layout not in ("420", "")
            else []
        ),
        *(["transparency is left out"] if alpha else []),
    )


def frame_from(frame: Any, facts: Facts, time: Fraction) -> Frame:
    """A frame of PyAV as one of ours. Raises: InputError as `words_for`."""
    if is_rgb(frame):
        pixels = frame.reformat(format="rgb24").to_ndarray()
        return from_rgb(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)), facts, time)
    name = frame.format.name
    if name in _REPACKED:
        # The same ranges on both sides: nothing is computed.
        span = frame.color_range or 1
        frame = frame.reformat(format=_REPACKED[name], src_color_range=span, dst_color_range=span)
    _, _, layout, bits, order = _parsed(frame.format.name)
    shift, kind = int(bits or 8) - 8, ">u2" if order == "be" else "<u2"
    planes = [
        _eight_bits(_plane(plane, kind if shift else "u1"), shift)
        for plane in frame.planes[: 3 if layout else 1]
    ]
    if not layout:
        half = [(side + 1) // 2 for side in planes[0].shape]
        planes += 2 * [np.full(half, 128, np.uint8)]
    elif layout != "420":
        down, across = layout in ("422", "444"), layout in ("440", "444")
        planes[1:] = [halved(plane, facts.siting, down=down, across=across) for plane in planes[1:]]
    y, u, v = planes
    return Frame(y, u, v, time)


def frame_to(frame: Frame) -> Any:
    """Our frame as one of PyAV, without its time."""
    import av

    height, width = frame.extent
    out = av.VideoFrame(width, height, "yuv420p")
    for plane, samples in zip(out.planes, (frame.y, frame.u, frame.v), strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
        rows[:, : plane.width] = samples
    return out


def _parsed(name: str) -> tuple[str, str, str, str, str]:
    match = _PLANAR.fullmatch(name)
    if match is None:
        raise InputError(
            f"frames of the layout {name} are not read: convert them first, as with "
            "ffmpeg -i IN -pix_fmt yuv420p OUT"
        )
    full, alpha, layout, bits, order = (part or "" for part in match.groups())
    return full, alpha, layout, bits, order


def _plane(plane: Any, kind: str) -> NDArray[Any]:
    rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
    return rows[:, : plane.width]


def _eight_bits(samples: NDArray[Any], shift: int) -> NDArray[np.uint8]:
    """The nearest of 0 to 255 to samples of more bits, halves up, in memory of its own."""
    if shift == 0:
        return samples.astype(np.uint8, copy=True)
    nearest: NDArray[np.int32] = (samples.astype(np.int32) + (1 << (shift - 1))) >> shift
    return nearest.clip(0, 255).astype(np.uint8)
