"""Short clips made of photographs: a camera that pans, zooms and turns, an object that passes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["moving_clip"]

Rgb = NDArray[np.uint8]


def moving_clip(
    picture: Image.Image,
    other: Image.Image,
    *,
    size: tuple[int, int],
    frames: int,
    rng: np.random.Generator,
) -> list[Rgb]:
    """Frames, each uint8 (3, H, W), of a window that moves over a picture.

    Half of the cameras stand still. Over half of the scenes a piece of the other picture passes,
    and a third have the noise of a dim room.

    >>> picture = Image.new("RGB", (96, 80), (90, 120, 30))
    >>> rng = np.random.default_rng(0)
    >>> clip = moving_clip(picture, picture, size=(32, 48), frames=3, rng=rng)
    >>> len(clip), clip[0].shape
    (3, (3, 32, 48))
    """
    height, width = size
    picture = _at_least(picture, 1.4 * height, 1.4 * width)
    camera = _Path(picture, size, rng, still=rng.random() < 0.5)
    piece = None
    if rng.random() < 0.6:
        side = int(rng.uniform(0.15, 0.5) * min(size))
        piece = _piece(_at_least(other, side + 2, side + 2), max(side, 8), rng)
    start, step = rng.uniform(-0.2, 0.9, 2) * (height, width), rng.normal(0, 2.5, 2)
    noise = rng.uniform(1.0, 4.0) if rng.random() < 0.33 else 0.0
    found = []
    for number in range(frames):
        frame = camera.frame(number)
        if piece is not None:
            y, x = start + number * step
            frame.paste(piece, (round(x), round(y)), piece)
        values = np.asarray(frame, np.float32)
        if noise:
            values = (values + rng.normal(0, noise, values.shape)).round().clip(0, 255)
        found.append(np.ascontiguousarray(values.astype(np.uint8).transpose(2, 0, 1)))
    return found


class _Path:
    """Where a camera looks, frame by frame."""

    def __init__(
        self,
        picture: Image.Image,
        size: tuple[int, int],
        rng: np.random.Generator,
        *,
        still: bool,
    ) -> None:
        self._picture, self._size = picture, size
        room = picture.height - size[0], picture.width - size[1]
        self._middle = rng.uniform(0.35, 0.65, 2) * room + np.array(size) / 2
        moves = 0.0 if still else 1.0
        self._step = moves * rng.normal(0, 1.5, 2)
        self._turn = moves * rng.normal(0, 0.003)
        self._zoom = moves * rng.normal(0, 0.003)

    def frame(self, number: int) -> Image.Image:
        """What it sees."""
        height, width = self._size
        scale, angle = math.exp(self._zoom * number), self._turn * number
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        y, x = self._middle + number * self._step
        # From a pixel of the frame to one of the picture.
        matrix = (
            *(cos, -sin, x - cos * width / 2 + sin * height / 2),
            *(sin, cos, y - sin * width / 2 - cos * height / 2),
        )
        return self._picture.transform(
            (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
        )


def _at_least(picture: Image.Image, height: float, width: float) -> Image.Image:
    factor = max(height / picture.height, width / picture.width, 1.0)
    picture = picture.convert("RGB")
    if factor == 1.0:
        return picture
    return picture.resize((math.ceil(picture.width * factor), math.ceil(picture.height * factor)))


def _piece(picture: Image.Image, side: int, rng: np.random.Generator) -> Image.Image:
    """A disc of a picture."""
    x, y = (int(rng.integers(0, length - side + 1)) for length in picture.size)
    piece = picture.crop((x, y, x + side, y + side)).convert("RGBA")
    rows, columns = np.mgrid[:side, :side] + 0.5 - side / 2
    disc = (np.hypot(rows, columns) < side / 2) * np.uint8(255)
    piece.putalpha(Image.fromarray(disc.astype(np.uint8)))
    return piece
