"""How near a decoded sound is to its original, in decibels."""

from __future__ import annotations

import math

import numpy as np

from vqcodec.media.sound.blocks import SoundBlocks
from vqcodec.media.sound.prepared import mixed
from vqcodec.media.sound.signal import Sound

__all__ = ["psnr"]

_BLOCK = 2**18


def psnr(decoded: Sound, original: Sound | SoundBlocks) -> float:
    """Full scale against the error's root mean square: 10 log10(1 / mean((decoded - original)^2)).

    An original of two channels is mixed down for a decoded one of one; infinite for equal sounds.

    >>> half = Sound(np.full((9, 1), 0.5, np.float32), rate=8000)
    >>> round(psnr(half, Sound(np.zeros((9, 1), np.float32), rate=8000)), 2)
    6.02
    """
    (length,), error = original.extent, 0.0
    for start in range(0, length, _BLOCK):
        part = (slice(start, min(length, start + _BLOCK)),)
        wanted, found = original.window(part), decoded.window(part)
        wanted = wanted if wanted.shape[1] == found.shape[1] else mixed(wanted)
        error += float(np.square(found.astype(np.float64) - wanted).sum())
    count = length * decoded.channels
    return math.inf if error == 0 else 10 * math.log10(count / error)
