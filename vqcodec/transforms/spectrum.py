"""Frequencies of overlapping blocks on one axis: an orthonormal transform, exact up to rounding.

The modified discrete cosine transform (Princen and Bradley 1987) in two orthonormal steps: at each
border between two blocks the samples around it are rotated into each other, then every block is
transformed on its own by the DCT of type IV. The two ends of a signal are no borders, so any whole
number of blocks comes back as it was.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

__all__ = ["compand", "expand", "lap", "unlap"]

# Below this part of the level companding is nearly linear: its slope stays finite at 0.
_KNEE = 0.01


def lap(x: Tensor, size: int, overlap: int) -> Tensor:
    """Samples (B, C, n size) -> frequencies (B, C size, n), as many as samples and of their energy.

    overlap: samples around a border that both blocks see, even, at most `size`.

    >>> x = torch.rand(1, 2, 60)
    >>> frequencies = lap(x, 20, 20)
    >>> frequencies.shape, torch.allclose(unlap(frequencies, 20, 20), x, atol=1e-5)
    (torch.Size([1, 40, 3]), True)
    """
    batch, channels, length = x.shape
    blocks = _rotate(x, size, overlap, 1.0).reshape(batch, channels, length // size, size)
    frequencies = blocks @ _cosines(size, x.device)
    return frequencies.movedim(2, -1).reshape(batch, channels * size, length // size)


def unlap(frequencies: Tensor, size: int, overlap: int) -> Tensor:
    """Undo `lap`: (B, C size, n) -> (B, C, n size)."""
    batch, rows, count = frequencies.shape
    blocks = frequencies.reshape(batch, rows // size, size, count).movedim(-1, 2)
    samples = (blocks @ _cosines(size, frequencies.device)).reshape(batch, rows // size, -1)
    return _rotate(samples, size, overlap, -1.0)


def compand(x: Tensor, power: float) -> Tensor:
    """Bring loud and quiet nearer to each other: sign(x) ((|x| + k)^p - k^p), k = 0.01.

    power: in (0, 1]; 1 leaves x as it is.

    >>> x = torch.tensor([-1.0, 0.0, 0.04])
    >>> compand(x, 0.5)
    tensor([-0.9050,  0.0000,  0.1236])
    >>> torch.allclose(expand(compand(x, 0.5), 0.5), x, atol=1e-6)
    True
    """
    companded: Tensor = x.sign() * ((x.abs() + _KNEE) ** power - _KNEE**power)
    return companded


def expand(y: Tensor, power: float) -> Tensor:
    """Undo `compand`."""
    expanded: Tensor = y.sign() * ((y.abs() + _KNEE**power) ** (1 / power) - _KNEE)
    return expanded


def _rotate(x: Tensor, size: int, overlap: int, sense: float) -> Tensor:
    """Rotate the samples around every border between two blocks, each with its reflection."""
    half, count = overlap // 2, x.shape[-1] // size
    if half == 0 or count < 2:
        return x
    inner = x[..., size // 2 : -(size - size // 2)].reshape(*x.shape[:-1], count - 1, size)
    border = size - size // 2
    before = inner[..., border - half : border].flip(-1)
    after = inner[..., border : border + half]
    cosine, sine = _window(half, x.device)
    rotated = torch.cat(
        [
            inner[..., : border - half],
            (before * cosine - sense * after * sine).flip(-1),
            after * cosine + sense * before * sine,
            inner[..., border + half :],
        ],
        -1,
    )
    ends = x[..., : size // 2], x[..., -(size - size // 2) :]
    return torch.cat([ends[0], rotated.flatten(-2), ends[1]], -1)


@functools.cache
def _window(half: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotation, by the distance from the border: the sine window."""
    distance = torch.arange(half, dtype=torch.float64) + 0.5
    angle = math.pi / 4 * (1 - distance / half)
    return angle.cos().float().to(device), angle.sin().float().to(device)


@functools.cache
def _cosines(size: int, device: torch.device) -> Tensor:
    """The DCT of type IV, its own inverse: float32 (size, size)."""
    places = torch.arange(size, dtype=torch.float64) + 0.5
    waves = (math.pi / size * places[:, None] * places).cos() * math.sqrt(2 / size)
    return waves.float().to(device)
